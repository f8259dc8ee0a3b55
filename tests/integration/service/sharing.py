#!/usr/bin/env python3
"""Who sees what: TLP levels, hidden collections, and that nothing tells what is hidden."""
import json
import os
import re
import subprocess
import threading

from gateway import Instance, done, indicator, ok, same

UNKNOWN = "marking-definition--11111111-2222-4333-8444-555555555555"


def seen(client, collection):
    return {o["id"] for o in client.pull(collection)[0]}


def levels(isg, clients, collection):
    """S-071: an unknown marking is RED; RED goes to its source and to staff only."""
    rows = [(1, "clear"), (2, "green"), (3, "amber"), (4, "amber+strict"), (5, "red")]
    objects = [indicator(n, tlp) for n, tlp in rows]
    objects.append(indicator(6, object_marking_refs=[UNKNOWN]))
    objects.append(indicator(7))  # no marking: AMBER unless the collection says otherwise
    objects.append(indicator(8, "green", granular_markings=[
        {"marking_ref": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
         "selectors": ["pattern"]}]))
    answer = clients["hospital-a"].push(collection, objects)
    same(answer.json["success_count"], 8, "all levels are taken")
    n = {indicator(k)["id"]: k for k in range(1, 9)}
    want = {"hospital-a": {1, 2, 3, 4, 5, 6, 7, 8}, "staff-1": {1, 2, 3, 4, 5, 6, 7, 8},
            "hospital-b": {1, 2, 3, 4, 7}, "maker": {1, 2, 3, 4, 7}}
    for who, numbers in want.items():
        same({n[i] for i in seen(clients[who], collection)}, numbers, "%s sees %s" % (who, sorted(numbers)))
    for who in ("hospital-b", "maker"):
        red, absent = indicator(5)["id"], indicator(99)["id"]
        base = "/api/collections/%s/objects/" % collection
        a, b = clients[who].get(base + red + "/"), clients[who].get(base + absent + "/")
        same((a.status, a.body), (b.status, b.body), "%s: hidden and absent look alike" % who)
        same(clients[who].get(base + "?match[id]=" + red).json, {}, "%s: match[id] finds nothing" % who)
        same(clients[who].get("/api/collections/%s/manifest/?match[id]=%s" % (collection, red)).json, {},
             "%s: nor does the manifest" % who)
    isg.run("export", "--collection", collection, "--as", "maker", "-o", isg.base + "/out.json")
    with open(isg.base + "/out.json") as f:
        same({n[o["id"]] for o in json.load(f)["objects"]}, want["maker"], "the export holds no more")


def hidden_conflict(clients, collection):
    """S-100: what exists but is hidden is answered as if it were absent."""
    clients["hospital-a"].push(collection, [indicator(20, "red")])
    other = indicator(20, "green", name="the same id from somebody else")
    answer = clients["hospital-b"].push(collection, [other])
    same((answer.json["success_count"], answer.json["failure_count"]), (1, 0), "no conflict is told")
    got = [o for o in clients["hospital-b"].pull(collection)[0] if o["id"] == other["id"]]
    same(got, [other], "the pusher finds his own form")
    visible = clients["hospital-b"].push(collection, [indicator(1, "clear", name="changed")])
    same(visible.json["failure_count"], 1, "a conflict with what he sees is a failure")


def statement(n):
    return {"type": "marking-definition", "spec_version": "2.1", "created": "2026-01-05T08:00:00.000Z",
            "id": "marking-definition--00000000-0000-4000-8000-%012d" % n,
            "definition_type": "statement", "definition": {"statement": "Copyright, Example Hospital"}}


def statements(clients, collection):
    """A copyright statement is no TLP: what it marks is as open as the collection, once its own
    source has said that it is a statement; whenever that comes, everybody gets the object once."""
    a, maker = clients["hospital-a"], clients["maker"]
    early, late, stranger = statement(1), statement(2), statement(3)
    marked = lambda n, m: indicator(n, object_marking_refs=[m["id"]])
    a.push(collection, [marked(40, early), early])
    ok(indicator(40)["id"] in seen(maker, collection), "a statement in the same envelope")
    a.push(collection, [marked(41, early)])
    ok(indicator(41)["id"] in seen(maker, collection), "a statement pushed before")
    a.push(collection, [marked(42, late)])
    ok(indicator(42)["id"] not in seen(maker, collection), "not known yet: RED")
    before = maker.get("/api/collections/%s/objects/" % collection).headers["X-TAXII-Date-Added-Last"]
    a.push(collection, [late])
    new = maker.pull(collection, query="added_after=" + before)[0]
    same({o["id"] for o in new}, {late["id"], indicator(42)["id"]},
         "known later: a poller whose cursor was past it gets it now")
    for who in ("hospital-a", "staff-1", "maker"):
        ids = [o["id"] for o in clients[who].pull(collection)[0]]
        same(ids.count(indicator(42)["id"]), 1, "%s gets it once" % who)
        ids = [o["id"] for o in clients[who].pull(collection, query="match[version]=all")[0]]
        same(ids.count(indicator(42)["id"]), 1, "%s gets it once with all versions" % who)
    path = "/api/collections/%s/objects/%s/" % (collection, indicator(42)["id"])
    same(clients["hospital-b"].request("DELETE", path).status, 200, "somebody else deletes it")
    a.push(collection, [late])
    for who in ("hospital-a", "hospital-b", "maker"):
        same(clients[who].get(path).status, 404, "%s: no definition brings it back (T-127)" % who)
    a.push(collection, [marked(43, stranger)])
    clients["hospital-b"].push(collection, [stranger])
    ok(indicator(43)["id"] not in seen(maker, collection),
       "a stranger's definition opens nothing of somebody else's")


def statements_at_once(isg, clients):
    """An object and the definition of its marking on two connections in the same moment: whichever
    is first, the object is open to everybody afterwards."""
    collection = isg.collection("at-once")
    pair = [isg.client("hospital-a", "secret of hospital-a") for _ in range(2)]
    for n in range(40):
        things = [indicator(n, object_marking_refs=[statement(100 + n)["id"]]), statement(100 + n)]
        threads = [threading.Thread(target=c.push, args=(collection, [thing]))
                   for c, thing in zip(pair, things)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    shown = seen(clients["maker"], collection)
    same([n for n in range(40) if indicator(n)["id"] not in shown], [], "pushed at once, all are seen")


def read_by_redis(isg):
    """How often the private Redis was asked for an object's bytes."""
    said = subprocess.run(["redis-cli", "-s", os.path.join(isg.dir, "redis/redis.sock"), "info",
                           "commandstats"], capture_output=True, text=True).stdout
    return int(re.search(r"cmdstat_getrange:calls=(\d+)", said).group(1))


def many_wait(isg, clients):
    """A definition costs what waits for it, not what waits for another one."""
    a = clients["hospital-a"]
    collection = isg.collection("many-wait")
    a.push(collection, [indicator(n, object_marking_refs=[statement(200)["id"]]) for n in range(600)] +
           [indicator(n, object_marking_refs=[statement(201)["id"]]) for n in range(600, 700)])
    before = read_by_redis(isg)
    a.push(collection, [statement(201)])
    asked = read_by_redis(isg) - before
    ok(asked < 300, "%d objects were read for 100 that waited" % asked)
    same(seen(clients["maker"], collection), {statement(201)["id"]} | {
        indicator(n)["id"] for n in range(600, 700)}, "and these are seen")
    a.push(collection, [statement(200)])
    got = [o["id"] for o in clients["maker"].pull(collection, limit=1000, query="match[version]=all")[0]]
    same(got[-600:], [indicator(n)["id"] for n in range(600)], "later the others, in their order")
    same((len(got), len(set(got))), (702, 702), "each once")


def very_many_labels(isg, clients):
    """Where nothing may wait any more, a definition in the same envelope still opens what it marks."""
    a = clients["hospital-a"]
    collection = isg.collection("labels")
    for begin in range(0, 4200, 200):
        a.push(collection, [indicator(n, object_marking_refs=[statement(1000 + n)["id"]])
                            for n in range(begin, begin + 200)])
    a.push(collection, [indicator(9000, object_marking_refs=[statement(900)["id"]]), statement(900)])
    ok(indicator(9000)["id"] in seen(clients["maker"], collection), "behind 4,200 that wait")


def rights(isg, clients):
    hidden = isg.collection("hidden", read="staff", write="staff")
    inbox = isg.collection("inbox", read="staff", write="all", handling="submission")
    reader = isg.collection("reader", read="all", write="staff")
    a = clients["hospital-a"]
    listed = {c["id"]: c for c in a.get("/api/collections/").json["collections"]}
    ok(hidden not in listed, "a collection without any right is not listed")
    same((listed[inbox]["can_read"], listed[inbox]["can_write"]), (False, True), "an inbox is write-only")
    same(a.get("/api/collections/%s/" % hidden).status, 404, "hidden: 404")
    same(a.get("/api/collections/%s/objects/" % hidden).status, 404, "hidden objects: 404")
    same(a.get("/api/collections/%s/objects/" % inbox).status, 403, "write-only objects: 403")
    same(a.push(reader, [indicator(1)]).status, 403, "read-only push: 403")
    same(a.push(inbox, [indicator(30, "amber")]).json["success_count"], 1, "the inbox takes it")
    same(len(clients["staff-1"].pull(inbox)[0]), 1, "staff reads the inbox")
    same(seen(clients["maker"], "indicators"), set(), "and nothing is published from it")


with Instance() as isg:
    clients = {"hospital-a": isg.member("hospital-a", "hospital"),
               "hospital-b": isg.member("hospital-b", "hospital"),
               "maker": isg.member("maker", "mdm"), "staff-1": isg.member("staff-1", "isao_staff")}
    collection = isg.collection("observed")
    levels(isg, clients, "observed")
    hidden_conflict(clients, "observed")
    statements(clients, "observed")
    statements_at_once(isg, clients)
    many_wait(isg, clients)
    very_many_labels(isg, clients)
    rights(isg, clients)
done()
