#!/usr/bin/env python3
"""Two gateways in a ring: each pulls from the other, and the first also pushes to the second, while
members push to both and either is killed again and again. The second is also a member of the first,
as a hospital is of its ISAO: what it puts aside goes to the first one's inbox. ISG_RING_SECONDS (15).

Nothing acknowledged is lost, nothing goes round, nothing is there twice, and what is RED stays.
"""
import json
import os
import random
import signal
import time

from gateway import Instance, done, indicator, ok, same, uuid4

SECONDS = float(os.environ.get("ISG_RING_SECONDS", "15"))
PATIENCE = 400  # seconds for the ring to settle
KILL_EVERY = 4
LEVELS = ("clear", "amber", "amber", "green", "red", None)

PEER = """  - name: %(name)s
    direction: %(direction)s
    url: https://127.0.0.1:%(port)d/api/
    from: %(source)s
    collection: %(sink)s
    user: %(user)s
    password_file: %(password)s
    ca: %(ca)s
    interval: 1s
    allow_private: true
"""


def peer(direction, here, there, source="ring", sink="ring"):
    text = PEER % {"name": "%s-%s" % (direction, sink), "direction": direction, "port": there.port,
                   "source": source, "sink": sink, "user": here.name, "password": os.path.join(there.base, here.name + ".pw"),
                   "ca": os.path.join(there.dir, "tls/ca.pem")}
    return text + ("    member: %s\n" % there.name if direction == "push" else "")


class Drawing:
    """Objects of every kind a ring can stumble over, and what was acknowledged where."""

    def __init__(self):
        self.random = random.Random(1)
        self.made = 0
        self.open, self.closed = {}, {}  # text: object acknowledged; closed: those that are RED, by gateway
        self.recent, self.aside = [], []

    def fresh(self):
        self.made += 1
        if self.made % 7 == 0:
            return {"type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--" + uuid4(self.made // 14),
                    "value": "198.51.100.%d" % (self.made % 250)}  # forms of one id: never a conflict
        return indicator(1000 + self.made, self.random.choice(LEVELS))

    def version(self):
        """A newer version of one that went before."""
        old = self.random.choice(self.recent)
        self.made += 1
        if "modified" not in old:
            return self.fresh()
        when = "2026-02-01T%02d:%02d:%02d.%03dZ" % (self.made // 3600000 % 24, self.made // 60000 % 60,
                                                    self.made // 1000 % 60, self.made % 1000)
        return dict(old, modified=when, name="changed %d" % self.made)

    def some(self):
        objects = [self.version() if self.recent and self.random.random() < 0.3 else self.fresh()
                   for _ in range(self.random.randint(1, 12))]
        self.recent = (self.recent + objects)[-200:]
        return objects

    def note(self, gateway, objects):
        for o in objects:
            red = any("e828b379" in ref for ref in o.get("object_marking_refs", []))
            kept = self.closed.setdefault(gateway.name, {}) if red else self.open
            kept[json.dumps(o, sort_keys=True)] = o


def push(drawing, gateways):
    """To one of them or, the same, to both; until it is acknowledged."""
    objects = drawing.some()
    count = min(drawing.random.choice((1, 1, 2)), len(gateways))
    for gateway in drawing.random.sample(gateways, count):
        answer = gateway.hospital.push("ring", objects)
        status = answer.json
        if answer.status != 202 or status["status"] != "complete" or status.get("failure_count"):
            return ok(False, "a push is taken: %d %s" % (answer.status, answer.body[:300]))
        drawing.note(gateway, objects)
    return True


def put_aside(drawing, hospital):
    """Something for the ISAO's inbox."""
    objects = [drawing.fresh() for _ in range(2)]
    drawing.aside += [o for o in objects if "e828b379" not in str(o.get("object_marking_refs"))]
    return hospital.hospital.push("outgoing", objects).status == 202


def inbox(drawing, isao):
    wanted = sorted({o["id"] for o in drawing.aside})
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        have = sorted(o["id"] for o in isao.staff.pull("submissions", limit=1000)[0])
        if have == wanted:
            break
        time.sleep(0.2)
    same(have, wanted, "the inbox has what was put aside for it, each once, and nothing that is RED")


def texts(gateway):
    """All versions of all objects there, each as often as it is there."""
    objects, _ = gateway.staff.pull("ring", limit=1000, query="match[version]=all")
    return sorted(json.dumps(o, sort_keys=True) for o in objects)


def events(gateway):
    return {c["title"]: c["events"] for c in gateway.json("status")["collections"]}["ring"]


def runs(gateway):
    """When each of its peers last came to a good end."""
    return [p.get("last_success", "") for p in gateway.json("peer", "status")["peers"]]


def kill(drawing, gateway, other):
    """The other one goes on alone for a moment."""
    gateway.stop(signal.SIGKILL)
    for client in (gateway.hospital, gateway.staff):
        client.close()
    push(drawing, [other])
    gateway.start()


def go_round(drawing, gateways):
    end = time.monotonic() + SECONDS
    next_kill, kills = time.monotonic() + KILL_EVERY / 2, 0
    while time.monotonic() < end or kills < 2 or len(drawing.open) < 100:
        if not push(drawing, gateways) or not put_aside(drawing, gateways[1]):
            return kills
        if time.monotonic() > next_kill:
            kill(drawing, gateways[kills % 2], gateways[1 - kills % 2])
            kills += 1
            next_kill = time.monotonic() + KILL_EVERY
        time.sleep(0.05)
    return kills


def due(drawing, gateway):
    """Of each object the texts one of which has to be there: the last version of what has versions
    (who pulls, or is pushed to, gets the last), any form of what has none (S-100)."""
    forms = {}
    for text, o in [*drawing.open.items(), *drawing.closed.get(gateway.name, {}).items()]:
        forms.setdefault(o["id"], []).append((o.get("modified", ""), text))
    return {i: {text for when, text in of if when == max(of)[0]} for i, of in forms.items()}


def settle(drawing, gateways):
    wanted = {g.name: due(drawing, g) for g in gateways}
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        have = {g.name: set(texts(g)) for g in gateways}
        if all(have[g] & some for g, of in wanted.items() for some in of.values()):
            break
        time.sleep(0.2)
    for gateway in gateways:
        have, due_here = texts(gateway), wanted[gateway.name]
        lost = [i for i, some in due_here.items() if not some & set(have)]
        same(lost, [], "%s: nothing is lost of %d objects" % (gateway.name, len(due_here)))
        same(len(have) - len(set(have)), 0, "%s: nothing is there twice" % gateway.name)
        known = set(drawing.open) | set(drawing.closed.get(gateway.name, {}))
        same(len(set(have) - known), 0, "%s: nothing that is not its to have" % gateway.name)


def rest(gateways):
    """Two more rounds of every peer bring nothing."""
    logs = [events(g) for g in gateways]
    for _ in range(2):
        before = [runs(g) for g in gateways]
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now = [runs(g) for g in gateways]
            if all(n > b for new, old in zip(now, before) for n, b in zip(new, old)):
                break
            time.sleep(0.2)
        else:
            ok(False, "the peers keep running: %s" % now)
    same([events(g) for g in gateways], logs, "the ring is quiet")
    for gateway, log in zip(gateways, logs):
        same(log, len(texts(gateway)), "%s: an event for each object and version" % gateway.name)


gateways = [Instance("First"), Instance("Second")]
first, second = gateways
for gateway, name in zip(gateways, ("first", "second")):
    gateway.name = name
for here, there, more in ((first, second, peer("push", first, second)),
                          (second, first, peer("push", second, first, "outgoing", "submissions"))):
    with open(os.path.join(here.dir, "isg.yaml"), "a") as f:
        f.write("peers:\n" + peer("pull", here, there) + more)
with first, second:
    for here, there in ((first, second), (second, first)):
        here.hospital = here.member("hospital", "hospital")
        here.staff = here.member("operator", "isao_staff")
        here.member(there.name, "coordinator")
        here.collection("ring")
    second.collection("outgoing", read="first")
    drawing = Drawing()
    kills = go_round(drawing, gateways)
    ok(kills >= 2, "%d objects and versions, %d kills" % (len(drawing.open), kills))
    settle(drawing, gateways)
    inbox(drawing, first)
    rest(gateways)
done()
