#!/usr/bin/env python3
"""Random pushes and deletes by three members, held against a model of what each of them may see.

The model is a list of events and a few lines of rules, written without a look at the program: RED goes
to its source and to staff (S-071), the first of two contents of one version stays unless it is hidden
from the pusher (S-100), a DELETE takes what the asker sees (T-128). After every few steps each member's
answers must be the model's, object for object and in order; a restart in the middle changes nothing.
"""
import os
import random
from datetime import datetime

from gateway import Instance, done, indicator, ok, same

STEPS = int(os.environ.get("ISG_STEPS", "160"))
SEED = int(os.environ.get("ISG_SEED", "20260124"))
TIMES = ("2026-01-05T08:00:00.000Z", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.500Z",
         "2026-03-01T00:00:00.500000Z", "2026-04-01T00:00:00.123456Z")


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


class Model:
    def __init__(self):
        self.events = []  # (object, source), in the order of coming

    @staticmethod
    def may(who, thing, source):
        red = "e828b379" in str(thing.get("object_marking_refs"))
        return who == "staff-1" or who == source or not red

    def seen(self, who):
        shown = []
        for thing, source in self.events:
            if self.may(who, thing, source) and thing not in shown:  # two may have brought the same
                shown.append(thing)
        return shown

    def push(self, who, thing):
        """added, same or conflict, as the pusher should be told."""
        if thing in self.seen(who):
            return "same"
        for other in self.seen(who):
            if other["id"] == thing["id"] and instant(other["modified"]) == instant(thing["modified"]):
                return "conflict"
        self.events.append((thing, who))
        return "added"

    def delete(self, who, name):
        gone = [e for e in self.events if self.may(who, *e) and e[0]["id"] == name]
        self.events = [e for e in self.events if not any(e is other for other in gone)]
        return 200 if gone else 404

    def ends(self, who, best):
        """The latest or the first version of each object; of forms of one version the earliest."""
        chosen = {}
        for thing in self.seen(who):
            other = chosen.get(thing["id"])
            if other is None or best(instant(thing["modified"]), instant(other["modified"])):
                chosen[thing["id"]] = thing
        return [thing for thing in self.seen(who) if chosen[thing["id"]] is thing]


def told(answer):
    status = answer.json
    if status["failure_count"]:
        return "conflict"
    return "same" if "message" in status["successes"][0] else "added"


def compare(clients, model, collection, dice, step):
    base = "/api/collections/%s/" % collection
    bad = []
    for who, client in clients.items():
        for query, want in (
                ("match[version]=all", model.seen(who)),
                ("", model.ends(who, lambda a, b: a > b)),
                ("match[version]=first", model.ends(who, lambda a, b: a < b))):
            limit = dice.choice((1, 3, 100))
            got = client.pull(collection, limit, query)[0]
            listed = client.pull(collection, limit, query, endpoint="manifest")[0]
            if got != want:
                bad.append((who, query, "objects"))
            if [(r["id"], r["version"]) for r in listed] != [(t["id"], t["modified"]) for t in want]:
                bad.append((who, query, "manifest"))
        for name in {thing["id"] for thing, _ in model.events}:
            want = [t for t in model.ends(who, lambda a, b: a > b) if t["id"] == name]
            answer = client.get(base + "objects/%s/" % name)
            if (answer.status, answer.json.get("objects", [])) != (200 if want else 404, want):
                bad.append((who, name, "object"))
            want = [t["modified"] for t in model.seen(who) if t["id"] == name]
            answer = client.get(base + "objects/%s/versions/" % name)
            if (answer.status, answer.json.get("versions", [])) != (200 if want else 404, want):
                bad.append((who, name, "versions"))
    same(bad, [], "step %d: all three see what the model says" % step)


with Instance() as isg:
    dice = random.Random(SEED)
    clients = {"hospital-a": isg.member("hospital-a", "hospital"),
               "hospital-b": isg.member("hospital-b", "hospital"),
               "staff-1": isg.member("staff-1", "isao_staff")}
    collection = isg.collection("observed")
    model = Model()
    wrong = []
    for step in range(1, STEPS + 1):
        who = dice.choice(("hospital-a", "hospital-a", "hospital-b", "hospital-b", "staff-1"))
        if dice.random() < 0.8:
            thing = indicator(dice.randrange(9), dice.choice(("green", "red", "amber", None)),
                              modified=dice.choice(TIMES), name=dice.choice("ab"))
            got, want = told(clients[who].push(collection, [thing])), model.push(who, thing)
        else:
            name = indicator(dice.randrange(9))["id"]
            path = "/api/collections/%s/objects/%s/" % (collection, name)
            got, want = clients[who].request("DELETE", path).status, model.delete(who, name)
        if got != want:
            wrong.append((step, who, got, want))
        if step % 20 == 0:
            compare(clients, model, collection, dice, step)
        if step == STEPS // 2:
            same(isg.stop(), 0, "a restart in the middle")
            isg.start()
            for client in clients.values():
                client.close()
    same(wrong, [], "every push and DELETE was answered as the model says, seed %d" % SEED)
    ok(len(model.events) > 0, "something is left to compare")
done()
