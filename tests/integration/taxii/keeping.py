#!/usr/bin/env python3
"""How long objects are kept, and what stands behind a success: time to live, tombstones, durability."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from gateway import Instance, done, free_port, indicator, ok, same, until


def redis(path, *words):
    run = subprocess.run(["redis-cli", "-s", path, *words], capture_output=True, text=True)
    return run.stdout.split("\n")[:-1]


def check_ttl(isg, client):
    sock = os.path.join(isg.dir, "redis/redis.sock")
    collection = isg.collection("brief", ttl="1h")
    kept = isg.collection("kept")
    base = "/api/collections/%s/objects/" % collection
    things = [indicator(n, "green") for n in range(1200)]
    for start in range(0, 1200, 600):
        client.push(collection, things[start:start + 600])
    client.push(kept, things[:10])
    same(len(client.pull(collection, limit=500)[0]), 1200, "all are served before their time")
    tag = client.get(base + "?limit=100").headers["ETag"]
    isg.run("collection", "set", "brief", "--ttl", "3s")
    ok(until(lambda: not client.pull(collection, limit=500)[0]), "they go when it is over")
    same(client.get(base + things[3]["id"] + "/").status, 404, "also by id")
    ok(client.get(base + "?limit=100", **{"If-None-Match": tag}).status == 200,
       "a page that was kept is not confirmed any more")
    for kind, name in (("o", "their bytes too"), ("i", "and their entries")):
        pattern = "isg:{c:%s}:%s:*" % (collection, kind)
        ok(until(lambda: redis(sock, "--scan", "--pattern", pattern) == []), name)
    marks = redis(sock, "HVALS", "isg:{c:%s}:x:0" % collection)
    ok(len(marks) == 1000 and all(m.startswith("xe1") for m in marks),
       "a tombstone of each stays, with date and reason")
    records = subprocess.run(["redis-cli", "-s", sock, "--raw", "GET", "isg:{c:%s}:b:0" % collection],
                             capture_output=True).stdout
    ok(things[3]["id"].encode() in records, "beside its record with id, version and digest")
    same(len(client.pull(kept)[0]), 10, "another collection keeps its own")
    isg.run("collection", "set", "brief", "--ttl", "none")
    same(client.push(collection, [things[0]]).json["successes"][0].get("message"), None,
         "what is over may come again")
    same(len(client.pull(collection)[0]), 1, "as something new")
    time.sleep(5)
    same(len(client.pull(collection)[0]), 1, "without a time to live it stays")
    for bad in ("0", "5x", "-1d", "900000000d"):
        ok(isg.run("collection", "set", "brief", "--ttl", bad, check=False).returncode == 65,
           "no time to live: " + bad)
    client.request("DELETE", base + things[0]["id"] + "/")
    marks = redis(sock, "HVALS", "isg:{c:%s}:x:1" % collection)
    ok(any(m.startswith("xd1") for m in marks), "a deleted object has a tombstone too")


def check_names(isg):
    rows = {c["collection"]["title"]: c["collection"]
            for c in isg.json("collection", "list")["collections"]}
    same(rows["kept"]["durability"], "disk", "disk unless something else is said")
    run = isg.run("collection", "add", "--title", "x", "--handling", "relay", "--read", "all",
                  "--write", "all", "--durability", "replica", check=False)
    ok(run.returncode == 65 and "redis.replicas" in run.stderr,
       "a collection demands no more than the server gives")
    isg.collection("fast", durability="second")


def check_second():
    with Instance(config="redis:\n  durability: second\n") as isg:
        client = isg.member("st-mary", "hospital")
        same(redis(os.path.join(isg.dir, "redis/redis.sock"), "CONFIG", "GET", "appendfsync")[1],
             "everysec", "the private server syncs once a second")
        rows = isg.json("collection", "list")["collections"]
        ok(all(c["collection"]["durability"] == "second" for c in rows), "collections say so")
        run = isg.run("collection", "add", "--title", "x", "--handling", "relay", "--read", "all",
                      "--write", "all", "--durability", "disk", check=False)
        ok(run.returncode == 65 and "redis.durability" in run.stderr, "disk is refused")
        same(client.push(isg.collection("quick"), [indicator(1, "green")]).status, 202, "pushes go")


def check_less_than_promised():
    """A server that gives less than it did: nothing is taken, and the answer says what is missing."""
    with Instance() as isg:
        client = isg.member("st-mary", "hospital")
        isg.collection("sure")
        same(client.push("sure", [indicator(1, "green")]).status, 202, "taken as the collection demands")
        same(isg.stop(), 0, "the service stops")
        with open(os.path.join(isg.dir, "isg.yaml"), "a") as f:
            f.write("redis:\n  durability: second\n")
        client.close()
        isg.start()
        same(client.push("sure", [indicator(2, "green")]).status, 503, "a push that would be kept less surely")
        run = isg.run("import", "--format", "stix", "--collection", "sure", "-", check=False,
                      stdin=json.dumps(indicator(2, "green")))
        ok(run.returncode == 69 and "redis.durability" in run.stderr,
           "nor an import: exit %d, %s" % (run.returncode, run.stderr.strip()))
        same([o["id"] for o in client.pull("sure")[0]], [indicator(1)["id"]], "what is there is served")


def check_replica():
    base = tempfile.mkdtemp(prefix="isg-test-")
    port = free_port()
    servers = []
    for name, words in (("one", ["--port", str(port)]),
                        ("two", ["--port", "0", "--replicaof", "127.0.0.1 %d" % port])):
        folder = os.path.join(base, name)
        os.mkdir(folder)
        servers.append(subprocess.Popen(
            ["redis-server", *words, "--bind", "127.0.0.1", "--unixsocket", folder + "/s", "--dir",
             folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
             "--repl-diskless-sync-delay", "0"], stdout=subprocess.DEVNULL))
    try:
        ok(until(lambda: "master_link_status:up" in redis(base + "/two/s", "INFO", "replication")),
           "two servers, one of them a replica")
        config = ("redis:\n  url: unix:%s/one/s\n  durability: second\n  replicas: 1\n"
                  "  timeout_ms: 2000\n" % base)
        with Instance(config=config) as isg:
            client = isg.member("st-mary", "hospital")
            collection = isg.collection("mirrored", durability="replica")
            ok(until(lambda: client.push(collection, [indicator(1, "green")]).status == 202),
               "a replica acknowledges")
            servers[1].send_signal(signal.SIGSTOP)
            answer = client.push(collection, [indicator(2, "green")])
            same(answer.status, 503, "without it nothing is a success")
            same(client.push(collection, [indicator(1, "green")]).status, 503,
                 "not even a repeat")
            many = [indicator(n, "green") for n in range(10, 2600)]
            same(client.push(collection, many).status, 503, "nor a large push that would wait")
            isg.process.kill()
            isg.process.wait()
            client.close()
            isg.start()
            path = "/api/collections/%s/objects/%s/" % (collection, indicator(1)["id"])
            same(client.request("DELETE", path).status, 503,
                 "nor a deletion, though it is the first thing asked of a gateway")
            servers[1].send_signal(signal.SIGCONT)
            ok(until(lambda: client.push(collection, [indicator(2, "green")]).status == 202),
               "and with it, it is")
            same([o["id"] for o in client.pull(collection)[0] if o not in many],
                 [indicator(2)["id"]], "each is there once")
    finally:
        for server in servers:
            server.send_signal(signal.SIGCONT)
            server.terminate()
            server.wait()
        shutil.rmtree(base, ignore_errors=True)


with Instance() as isg:
    check_ttl(isg, isg.member("st-mary", "hospital"))
    check_names(isg)
check_second()
check_less_than_promised()
check_replica()
done()
