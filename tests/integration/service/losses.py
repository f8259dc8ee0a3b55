#!/usr/bin/env python3
"""Keys that somebody deletes from Redis (R-068): the service lives and its pages stay whole, the doctor
finds each kind of loss and says what to do, and that helps."""
import json
import os
import random
import subprocess

from gateway import Instance, done, indicator, ok, same

COUNT = 1200


class Bed:
    def __init__(self, isg):
        self.isg = isg
        self.client = isg.member("st-mary", "hospital")
        self.collection = isg.collection("observed", write="st-mary")
        self.path = "/api/collections/observed/objects/"

    def redis(self, *words):
        run = subprocess.run(["redis-cli", "-e", "-s", os.path.join(self.isg.dir, "redis/redis.sock"), *words],
                             capture_output=True, text=True, check=True)
        return run.stdout.split("\n")[:-1]

    def key(self, rest):
        return "isg:{c:%s}:%s" % (self.collection, rest)

    def doctor(self):
        """What it says of the collection; None when all is well."""
        said = self.isg.run("doctor", "--json", check=False)
        rows = [c for c in json.loads(said.stdout)["checks"] if c["text"].startswith("observed: ")]
        same(len(rows), 1, "the doctor looks at the collection")
        same(said.returncode, 0 if rows[0]["level"] == "ok" else 1, "and its exit code says what it found")
        return None if rows[0]["level"] == "ok" else rows[0]["text"] + " -> " + rows[0]["hint"]

    def restart(self):
        """What is in memory is not lost; nor is what was lost in it afterwards."""
        self.client.close()
        same(self.isg.stop(), 0, "it stops as it should")
        self.isg.start()

    def is_consistent(self, name):
        """Every page is one; the walk is what one page of all says; each id in it is found."""
        walked = [o["id"] for o in self.client.pull("observed", limit=7)[0]]
        same(walked, [o["id"] for o in self.client.pull("observed", limit=1000)[0]], name + ": pages agree")
        manifest = [row["id"] for row in self.client.pull("observed", limit=1000, endpoint="manifest")[0]]
        same(self.isg.process.poll(), None, name + ": it lives")
        return walked, manifest


def objects_of(text):
    """The objects whose bytes stand in a pack, one after the other."""
    things, at = [], 0
    while at < len(text):
        thing, at = json.JSONDecoder().raw_decode(text, at)
        things.append(thing)
    return things


def lost_bytes(bed):
    packs = [key for key in bed.redis("--scan", "--pattern", bed.key("k:*"))
             if int(key.rsplit(":", 1)[1]) < 900]  # none in the second block, which is lost later
    victim = random.choice(packs)
    names = [thing["id"] for thing in objects_of(bed.redis("--raw", "get", victim)[0])]
    same(bed.redis("del", victim), ["1"], "the bytes of a pack of objects are gone")
    said = bed.doctor()
    ok(said and " %d without their bytes" % len(names) in said and names[0] in said and "backup" in said, said)
    bed.restart()
    ids, _ = bed.is_consistent("lost bytes")
    same((len(ids), set(ids) & set(names)), (COUNT - len(names), set()), "they are shown to nobody")
    for name in names:
        same(bed.client.request("DELETE", bed.path + name + "/").status, 200, "as it says: deleted")
    again = [thing for thing in map(lambda n: indicator(n, "green"), range(COUNT)) if thing["id"] in names]
    same(bed.client.push("observed", again).json["success_count"], len(names), "and pushed again")
    same(bed.doctor(), None, "that helps")
    same(len(bed.client.pull("observed", limit=1000)[0]), COUNT, "all are there")
    return COUNT + len(names)


def lost_entry(bed):
    same(bed.redis("del", bed.key("i:" + indicator(5)["id"])), ["1"], "an entry of the index is gone")
    said = bed.doctor()
    ok(said and " 1 not found by their id" in said and indicator(5)["id"] in said, said)
    bed.restart()
    bed.is_consistent("a lost entry")


def lost_rest(bed, events):
    same(bed.redis("del", bed.key("b:1")), ["1"], "a block of records is gone")
    said = bed.doctor()
    ok(said and "%d without their record" % (events - 1000) in said, said)
    same(bed.redis("del", bed.key("l")), ["1"], "and the labels")
    said = bed.doctor()
    ok(said and "1 lost labels" in said, said)
    bed.restart()
    same(bed.is_consistent("a lost block, no labels"), ([], []), "nobody is shown what has no label")
    same(bed.client.push("observed", [indicator(9000, "green")]).json["success_count"], 1, "pushes go on")


random.seed(3)
with Instance() as isg:
    bed = Bed(isg)
    things = [indicator(n, "green") for n in range(COUNT)]
    for begin in range(0, COUNT, 600):
        same(bed.client.push("observed", things[begin:begin + 600]).json["success_count"], 600, "pushed")
    same(bed.doctor(), None, "nothing is lost")
    events = lost_bytes(bed)
    lost_entry(bed)
    lost_rest(bed, events)
done()
