#!/usr/bin/env python3
"""Pushing to another server's inbox on a schedule: against an inbox that misbehaves in every way a
server can, and across a gateway that is killed in the middle."""
import http.server
import json
import os
import re
import signal
import socket
import threading
import time

from gateway import MEDIA, Instance, Redis, done, indicator, ok, same, uuid4

INBOX = "00000000-0000-4000-8000-0000000000c1"
AUTHORIZATION = "Basic Z2F0ZXdheTpzZWNyZXQgb2YgdGhlIGluYm94"  # gateway:secret of the inbox
PATIENCE = 240  # seconds for what must happen at all


class Inbox(http.server.BaseHTTPRequestHandler):
    """A TAXII inbox: what it does to a POST is the next of `plan`, and `normal` after that."""
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    max_content_length = 20000
    plan, normal = [], "ok"
    posts = []     # (monotonic time, ids, action, bytes)
    have = {}      # id: how often it was accepted
    statuses = {}  # id: [answers of pending left, status]
    asked = []     # ids of statuses
    strangers = 0  # requests without the right credentials

    def log_message(self, *_):
        pass

    def answer(self, code, value, **headers):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", MEDIA)
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def known(self):
        if self.headers.get("Authorization") == AUTHORIZATION:
            return True
        Inbox.strangers += 1
        self.answer(401, {"title": "who are you"})
        return False

    def do_GET(self):
        if not self.known():
            return
        parts = [p for p in self.path.split("/") if p]
        collection = {"id": INBOX, "alias": "inbox", "title": "Inbox", "can_read": False, "can_write": True,
                      "media_types": [MEDIA]}
        if parts == ["api"]:
            self.answer(200, {"title": "Inbox", "versions": [MEDIA],
                              "max_content_length": Inbox.max_content_length})
        elif parts == ["api", "collections"]:
            self.answer(200, {"collections": [collection]})
        elif parts[:2] == ["api", "status"] and len(parts) == 3:
            self.status(parts[2])
        else:
            self.answer(404, {"title": "nothing here"})

    def status(self, name):
        with Inbox.lock:
            Inbox.asked.append(name)
            entry = Inbox.statuses.get(name)
            if entry is not None:
                entry[0] -= entry[0] > 0
        if entry is None:
            self.answer(404, {"title": "no such status"})
        else:
            self.answer(200, dict(entry[1], status="pending" if entry[0] else "complete"))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.known():
            return
        objects = json.loads(body)["objects"]
        ids = [o["id"] for o in objects]
        with Inbox.lock:
            action = Inbox.plan.pop(0) if Inbox.plan else Inbox.normal
            if action == "at most 3" and len(objects) > 3:
                action = "413"
            elif action == "no bad ones" and any(o["name"] == "bad" for o in objects):
                action = "400"
            elif action in ("at most 3", "no bad ones"):
                action = "ok"
            Inbox.posts.append((time.monotonic(), ids, action, len(body)))
        getattr(self, {"503": "busy", "413": "too_large", "400": "refuse", "500": "break_down"}.get(
            action, action))(objects, ids)

    def accept(self, objects, ids, failed=(), polls=0, forget=False):
        with Inbox.lock:
            name = uuid4(0x57a7 + len(Inbox.statuses))
            status = {"id": name, "status": "complete", "total_count": len(ids),
                      "success_count": len(ids) - len(failed), "failure_count": len(failed),
                      "pending_count": 0}
            if failed:
                status["failures"] = [{"id": i, "version": "x", "message": "not in this house"}
                                      for i in failed]
            Inbox.statuses[name] = [polls, status]
            for i in ids:
                Inbox.have[i] = Inbox.have.get(i, 0) + (i not in failed)
            if forget:
                Inbox.statuses[name] = None
        self.answer(202, dict(status, status="pending" if polls else "complete",
                              pending_count=len(ids) if polls else 0,
                              success_count=0 if polls else status["success_count"]))

    def ok(self, objects, ids):
        self.accept(objects, ids)

    def partly(self, objects, ids):
        self.accept(objects, ids, failed=ids[:1])

    def pending(self, objects, ids):
        self.accept(objects, ids, failed=ids[-1:], polls=1 << 30)

    def forgetting(self, objects, ids):
        self.accept(objects, ids, polls=1, forget=True)

    def slow(self, objects, ids):
        time.sleep(0.1)
        self.accept(objects, ids)

    def lost(self, objects, ids):
        """It has them, and the answer never arrives."""
        with Inbox.lock:
            for i in ids:
                Inbox.have[i] = Inbox.have.get(i, 0) + 1
        self.close_connection = True

    def busy(self, *_):
        self.answer(503, {"title": "later"}, Retry_After="3")

    def too_large(self, *_):
        self.answer(413, {"title": "too large"})

    def refuse(self, *_):
        self.answer(400, {"title": "no"})

    def break_down(self, *_):
        self.answer(500, {"title": "broken"})


def until(condition, name):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return ok(True, name)
        time.sleep(0.02)
    return ok(False, name)


def has(objects):
    return lambda: all(o["id"] in Inbox.have for o in objects)


def status(isg):
    return isg.json("peer", "status")["peers"][0]


def clean(isg):
    """The cursor stands at the end of the log."""
    return lambda: status(isg)["backlog"] == 0 and not status(isg)["pending"]


def metric(isg, name):
    """Of the one target; on the admin socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(isg.dir, "admin.sock"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: isg\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    found = re.search(r'^%s{target="peer:inbox"} (\d+)' % name, text, re.M)
    return int(found.group(1)) if found else None


class Numbers:
    at = 0

    @classmethod
    def some(cls, n, tlp="amber", **more):
        cls.at += n
        return [indicator(cls.at - i, tlp, **more) for i in range(n)]


def visibility(isg, hospital, partner):
    red = Numbers.some(2, "red")
    theirs = Numbers.some(2)
    wanted = Numbers.some(4) + Numbers.some(2, "clear") + Numbers.some(1, None)
    same(partner.push("out", theirs).status, 202, "the partner pushes two of its own")
    same(hospital.push("out", red + wanted).status, 202, "a hospital pushes nine, two of them RED")
    until(has(wanted), "what the partner may see arrives")
    until(clean(isg), "and nothing is left")
    same(sorted(Inbox.have), sorted(o["id"] for o in wanted),
         "nothing that is RED, and nothing that it brought itself")
    words = ["peer", "push", "--dry-run", "--url", "https://another.example/api/", "--from", "out",
             "--collection", "x"]
    listed = isg.json(*words, "--member", "partner")
    same((listed["as"], sorted(o["id"] for o in listed["objects"])),
         ("partner", sorted(o["id"] for o in wanted)), "a dry run names what would go, and to whom")
    same(sorted(o["tlp"] for o in listed["objects"]), ["amber"] * 5 + ["clear"] * 2, "and how it is marked")
    same(isg.json(*words)["objects"], [], "to one who is no member here nothing: the right does not name it")


def shapes(isg, hospital):
    """X-29, T-088: sizes, declared and real; T-095: failures; answers that get lost."""
    many = Numbers.some(60, description="x" * 1000)
    hospital.push("out", many)
    until(has(many), "sixty large ones arrive")
    ok(all(size <= Inbox.max_content_length for _, _, _, size in Inbox.posts),
       "in envelopes below max_content_length")
    same([o["id"] for o in many], [i for _, ids, _, _ in Inbox.posts for i in ids][-60:],
         "in the order of the log, each once")
    Inbox.normal = "at most 3"
    few = Numbers.some(10)
    hospital.push("out", few)
    until(has(few), "413 below the declared size: smaller envelopes")
    same(max(Inbox.have[o["id"]] for o in few), 1, "and each once")
    Inbox.normal = "ok"
    for action, times in (("500", 1), ("503", 1), ("lost", 2), ("forgetting", 2)):
        Inbox.plan[:] = [action]
        begin, some = len(Inbox.posts), Numbers.some(3)
        hospital.push("out", some)
        until(lambda: has(some)() and clean(isg)(), "%s: all three arrive" % action)
        posts = Inbox.posts[begin:]
        same([p[1] for p in posts], [[o["id"] for o in some]] * 2, "%s: the same envelope twice" % action)
        same({Inbox.have[o["id"]] for o in some}, {times}, "%s: so often it has them" % action)
        if action == "503":
            ok(posts[1][0] - posts[0][0] >= 3, "Retry-After is kept")


def refusals(isg, hospital):
    before = status(isg)["sent_refused"]
    Inbox.plan[:] = ["partly"]
    hospital.push("out", Numbers.some(3))
    until(lambda: status(isg)["sent_refused"] == before + 1, "a failure in the status is counted")
    ok("not in this house" in status(isg)["last_refusal"], "and told: %s" % status(isg)["last_refusal"])
    until(clean(isg), "the cursor passes it")
    Inbox.normal = "no bad ones"
    bad = Numbers.some(1, name="bad")
    hospital.push("out", bad)
    until(lambda: "400" in (status(isg).get("last_error") or ""), "a bad request alone stops")
    ok(status(isg)["backlog"] == 1 and status(isg)["state"] == "failing", "and nothing is passed over")
    same(metric(isg, "isg_target_backlog"), 1, "the metrics show it")
    ok(metric(isg, "isg_target_failures") >= 1, "and that it fails")
    good = Numbers.some(1)
    hospital.push("out", good)
    until(lambda: has(good)() and clean(isg)(), "until the server takes the next one")
    same(status(isg)["sent_refused"], before + 2, "the bad one counts as refused")
    ok(bad[0]["id"] not in Inbox.have and bad[0]["id"] in status(isg)["last_refusal"], "by its id")
    Inbox.normal = "413"
    some = Numbers.some(3)
    hospital.push("out", some)
    until(lambda: "413" in (status(isg).get("last_error") or ""), "413 to everything, however small, stops")
    ok(status(isg)["backlog"] == 3 and status(isg)["sent_refused"] == before + 2, "and nothing is passed over")
    Inbox.normal = "ok"
    until(lambda: has(some)() and clean(isg)(), "until the server takes them")
    large, small = Numbers.some(1, description="x" * Inbox.max_content_length), Numbers.some(1)
    hospital.push("out", large + small)
    until(lambda: has(small)() and clean(isg)(), "one that is larger than the inbox takes is passed")
    ok(large[0]["id"] in status(isg)["last_refusal"], "and told of: %s" % status(isg)["last_refusal"])
    same(status(isg)["sent_refused"], before + 3, "and counted")


def interrupted(isg, hospital):
    """A status that is pending for long, and a gateway that is killed meanwhile."""
    Inbox.plan[:] = ["pending"]
    begin, refused, some = len(Inbox.posts), status(isg)["sent_refused"], Numbers.some(3)
    hospital.push("out", some)
    until(lambda: status(isg)["pending"], "pending")
    isg.stop(signal.SIGKILL)
    asked = len(Inbox.asked)
    more = Numbers.some(2)
    isg.start()
    hospital.close()
    hospital.push("out", more)
    until(lambda: len(Inbox.asked) > asked, "after a kill the status is asked for again")
    Inbox.statuses[Inbox.asked[-1]][0] = 0
    until(lambda: has(more)() and clean(isg)(), "complete: it goes on")
    same([p[1] for p in Inbox.posts[begin:]], [[o["id"] for o in some], [o["id"] for o in more]],
         "what was pending is not sent again, and comes before the rest")
    same(len(set(Inbox.asked[asked:])), 1, "its status is followed to its end")
    same(status(isg)["sent_refused"], refused + 1, "and the failure in it reported")


def kills(isg, hospital, rounds):
    """Killed, or stopped, while it sends: nothing is lost."""
    Inbox.max_content_length, Inbox.normal = 3000, "slow"
    everything = []
    for how in (signal.SIGKILL, signal.SIGTERM) * rounds:
        some = Numbers.some(30)
        everything += some
        hospital.close()
        seen = len(Inbox.posts)
        same(hospital.push("out", some).status, 202, "thirty more are pushed")
        until(lambda: len(Inbox.posts) > seen + 1, "they are being sent")
        isg.stop(how)
        isg.start()
        same(status(isg)["failures"], 0, "that is no failure of the inbox")
    until(lambda: has(everything)() and clean(isg)(), "all of them arrive")
    twice = [o["id"] for o in everything if Inbox.have[o["id"]] > 1]
    ok(len(twice) <= 20 * rounds, "twice only what a kill left open: %d" % len(twice))
    Inbox.normal = "ok"


def stopping(isg, hospital):
    with open(os.path.join(isg.base, "inbox.pw"), "w") as f:
        f.write("another\n")
    hospital.close()
    hospital.push("out", Numbers.some(1))
    until(lambda: "401" in (status(isg).get("last_error") or ""), "a wrong password is told")
    ok(status(isg)["backlog"] == 1, "the object waits")
    isg.run("member", "suspend", "partner")
    with open(os.path.join(isg.base, "inbox.pw"), "w") as f:
        f.write("secret of the inbox\n")
    before = len(Inbox.posts)
    result = isg.run_feed("inbox", kind="peer")
    ok(result.returncode == 77 and "suspended" in result.stderr, "nothing goes to a suspended member")
    same(len(Inbox.posts), before, "nothing went")
    same(isg.run("peer", "run", "nobody", check=False).returncode, 1, "no such peer")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that are killed are the point


server = Server(("127.0.0.1", 0), Inbox)
threading.Thread(target=server.serve_forever, daemon=True).start()
CONFIG = """
peers:
  - name: inbox
    direction: push
    url: http://127.0.0.1:%d/api/
    from: out
    collection: inbox
    member: partner
%s
    interval: 1s
    allow_private: true
"""
LOGIN = """    user: gateway
    password_file: ../inbox.pw"""
HEADER = """    header_file: ../inbox.headers"""


def prepare(isg, login):
    for name, text in (("inbox.pw", "secret of the inbox"), ("inbox.headers", "Authorization: " + AUTHORIZATION)):
        with open(os.path.join(isg.base, name), "w") as f:
            f.write(text + "\n")
        os.chmod(f.name, 0o600)
    with open(os.path.join(isg.dir, "isg.yaml"), "a") as f:
        f.write(CONFIG % (server.server_port, login))
    return isg


def shared(redis):
    """Two gateways on one store have one outbox: one of them sends, the other goes on without it."""
    first = prepare(Instance("Shared", redis=redis.url), HEADER)
    second = prepare(Instance("Shared", redis=redis.url, like=first), HEADER)
    Inbox.max_content_length = 20000
    with first, second:
        hospital = first.member("hospital", "hospital")
        first.member("partner", "coordinator")
        first.collection("out", read="partner")
        begin, some = len(Inbox.posts), []
        until(lambda: second.client("hospital", "secret of hospital").get("/api/collections/out/").status == 200,
              "the second gateway knows the member")
        for client in (hospital, second.client("hospital", "secret of hospital")) * 3:
            some += Numbers.some(3)
            same(client.push("out", some[-3:]).status, 202, "pushed through one of them")
        until(lambda: has(some)() and clean(first)() and clean(second)(), "all arrive")
        same(sorted(i for p in Inbox.posts[begin:] for i in p[1]), sorted(o["id"] for o in some), "each once")
        first.stop()
        some = Numbers.some(3)
        second.client("hospital", "secret of hospital").push("out", some)
        until(has(some), "the other one goes on")
        same([Inbox.have[o["id"]] for o in some], [1] * 3, "and sends what is new, no more")


isg = prepare(Instance("Outgoing"), LOGIN)
with isg:
    hospital = isg.member("hospital", "hospital")
    partner = isg.member("partner", "coordinator")
    isg.collection("out", read="partner")
    visibility(isg, hospital, partner)
    shapes(isg, hospital)
    refusals(isg, hospital)
    interrupted(isg, hospital)
    kills(isg, hospital, 1)
    stopping(isg, hospital)
    with open(isg.log) as log:
        ok("secret of" not in log.read(), "no secret in the log")
with Redis() as redis:
    shared(redis)
server.shutdown()
done()
