#!/usr/bin/env python3
"""Pushes as they come: in any pieces, broken, hostile, doubled, large. T-087 to T-124, R-010 to R-051.

What is refused whole must change nothing; what is accepted must add up and be served.
"""
import gzip
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from gateway import MEDIA, Instance, done, indicator, ok, same, until, uuid4

LIMIT = 2 << 20


def raw_push(isg, client, path, pieces, chunked=True, more=(), wait=0.0):
    """POST by hand: each piece a chunk of its own, written by itself. Status, headers, body."""
    head = ["POST %s HTTP/1.1" % path, "Host: localhost", "Accept: " + MEDIA,
            "Content-Type: " + MEDIA, "Authorization: " + client.headers["Authorization"], *more]
    head.append("Transfer-Encoding: chunked" if chunked
                else "Content-Length: %d" % sum(map(len, pieces)))
    with isg.tls.wrap_socket(socket.create_connection(("127.0.0.1", isg.port)),
                             server_hostname="localhost") as s:
        s.settimeout(60)
        s.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        first = b""
        if wait:
            s.settimeout(wait)
            first = s.recv(4096)
            s.settimeout(60)
        for piece in pieces:
            s.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            s.sendall(b"0\r\n\r\n")
        file = s.makefile("rb")
        status = int(file.readline().split()[1])
        headers = {}
        while (line := file.readline().strip()):
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        return first, status, json.loads(file.read(int(headers["content-length"])))


def adds_up(status):
    total = sum(status[k] for k in ("success_count", "failure_count", "pending_count"))
    lists = all(len(status.get(name, [])) == status[count] for name, count in (
        ("successes", "success_count"), ("failures", "failure_count"),
        ("pendings", "pending_count")))
    whole = all("id" in e and "version" in e for name in ("successes", "failures", "pendings")
                for e in status.get(name, []))
    return total == status["total_count"] and lists and whole


def until_complete(client, status, seconds=300):
    """Poll as T-097 says; every answer on the way must add up."""
    good = adds_up(status)
    end = time.monotonic() + seconds
    while status["status"] == "pending" and time.monotonic() < end:
        time.sleep(0.05)
        answer = client.get("/api/status/%s/" % status["id"])
        good = good and answer.status == 200 and adds_up(answer.json)
        status = answer.json
    return status, good


class Pushes:
    def __init__(self, isg):
        self.isg = isg
        self.client = isg.member("st-mary", "hospital")
        self.other = isg.member("pumpmaker", "mdm")
        self.count = 0

    def room(self):
        self.count += 1
        name = "room%d" % self.count
        return self.isg.collection(name), "/api/collections/%s/objects/" % name

    def ids(self, collection):
        return [o["id"] for o in self.client.pull(collection, limit=1000)[0]]

    def pieces(self):
        collection, path = self.room()
        things = [indicator(n, "green", name="pump ü %d" % n) for n in range(3)]
        body = json.dumps({"more": False, "x_site": {"a": [1]}, "objects": things}).encode()
        _, code, status = raw_push(self.isg, self.client, path,
                                   [body[i:i + 1] for i in range(len(body))])
        same((code, status["success_count"]), (202, 3), "chunks of one byte (T-133)")
        same([o["name"] for o in self.client.pull(collection)[0]], [t["name"] for t in things],
             "come back as sent")
        first, code, status = raw_push(self.isg, self.client, path, [body], chunked=False,
                                       more=("Expect: 100-continue",), wait=60)
        ok(first.startswith(b"HTTP/1.1 100"), "100 Continue is said")
        same((code, status["success_count"]), (202, 3), "and the body is taken")
        ok(all("already" in s["message"] for s in status["successes"]), "a repeat says so (X-17)")
        same(len(self.ids(collection)), 3, "and adds nothing (T-119)")

    def broken(self):
        collection, path = self.room()
        good = json.dumps({"objects": [indicator(n, "green") for n in range(400)]}).encode()
        bad = [("a syntax error at its end", good[:-1] + b"]"), ("cut short", good[:-3]),
               ("two values", good + b"{}"), ("no object", b"[]"), ("empty", b""), ("{}", b"{}"),
               ("no objects", b'{"objects": []}'), ("objects is no list", b'{"objects": {}}'),
               ("a bundle", b'{"type":"bundle","id":"bundle--%s","objects":' % uuid4(1).encode() +
                good[12:]),
               ("twice objects", good[:-1] + b',"objects":[]}'), ("NaN", b'{"objects":[NaN]}'),
               ("an overlong UTF-8", b'{"objects":[{"id":"\xc0\xaf"}]}'),
               ("100,000 lists", b'{"objects":[' + b"[" * 100000),
               ("100,000 objects deep", b'{"objects":[' + b'{"a":' * 100000),
               ("deep beside objects", b'{"x":' + b"[" * 100000)]
        for name, body in bad:
            answer = self.client.request("POST", path, body)
            same(answer.status, 422, "%s: 422" % name)
            ok(answer.json.get("title") and len(answer.body) < 4096, "%s: says why" % name)
        same(self.ids(collection), [], "nothing of them was stored (T-124, X-18)")
        answer = self.client.request("POST", path, gzip.compress(good),
                                     headers={"Content-Encoding": "gzip"})
        same(answer.status, 415, "a compressed body (R-019)")

    def too_large(self):
        collection, path = self.room()
        url = "https://127.0.0.1:%d%s" % (self.isg.port, path)
        with tempfile.NamedTemporaryFile() as big:
            big.write(b'{"objects":["' + b"x" * (4 * LIMIT) + b'"]}')
            big.flush()
            for name, words in (("declared", ["--data-binary", "@" + big.name]),
                                ("chunked", ["--data-binary", "@" + big.name,
                                             "-H", "Transfer-Encoding: chunked"])):
                run = subprocess.run(
                    ["curl", "-s", "-m", "120", "--cacert", os.path.join(self.isg.dir, "tls/ca.pem"),
                     "-u", "st-mary:secret of st-mary", "-H", "Accept: " + MEDIA, "-o", "/dev/null",
                     "-H", "Content-Type: " + MEDIA, "-w", "%{http_code}", *words, url],
                    capture_output=True, text=True)
                same(run.stdout, "413", "curl sees 413, %s (R-010)" % name)
        body = json.dumps({"objects": [indicator(1, "green", description="x")]})
        body = body.replace('"x"', '"%s"' % ("x" * (LIMIT - len(body) + 1)))
        answer = self.client.request("POST", path, body.encode())
        same((len(body), answer.status), (LIMIT, 202), "a body of just max_content_length (T-087)")
        self.client.close()

    def verdicts(self):
        collection, path = self.room()
        good = indicator(1, "green")
        odd = [("a bad id", dict(good, id="indicator--../../x")), ("a NUL", dict(good, id="a\0b")),
               ("CR LF", dict(good, id="x\r\nDEL isg:schema\r\n")), ("a glob", dict(good, id="*")),
               ("capitals in an id", dict(good, id="indicator--ABCDEF00-0000-4000-8000-000000000001")),
               ("a type in capitals", dict(good, id=good["id"].replace("indicator", "INDICATOR"))),
               ("a long id", dict(good, id="indicator--" + "a" * 5000)),
               ("another type", dict(good, id="malware--" + uuid4(3))),
               ("no date", dict(good, id="indicator--" + uuid4(4), modified="0000-00-00T00:00:00Z")),
               ("2^63", dict(good, id="indicator--" + uuid4(5), x_n=2 ** 63)),
               ("a selector", dict(good, id="indicator--" + uuid4(6), granular_markings=[
                   {"selectors": ["objects.[999999999]"], "marking_ref": "x"}])),
               ("too many members", dict(good, id="indicator--" + uuid4(13), x_n=[1] * 200001)),
               ("a pattern", dict(good, id="indicator--" + uuid4(7), pattern="(" * 20000)),
               ("a bundle", {"type": "bundle", "id": "bundle--" + uuid4(8), "objects": [good]}),
               ("a string", "indicator"), ("null", None), ("a list", [good])]
        answer = self.client.push("room%d" % self.count, [good] + [o for _, o in odd])
        status = answer.json
        same(answer.status, 202, "bad objects do not sink an envelope")
        ok(adds_up(status), "it adds up (T-094)")
        same((status["success_count"], status["failure_count"]), (1, len(odd)), "each is judged")
        ok(all("(" in f.get("message", "") for f in status["failures"]), "each says its rule")
        same(self.ids(collection), [good["id"]], "only the good one is there")
        body = json.dumps({"objects": [indicator(9, "green")]}).replace(
            '"name"', '"labels": ["a"], "labels": ["b"], "name"')
        status = self.client.request("POST", path, body.encode()).json
        ok(status["failure_count"] == 1 and "/labels" in status["failures"][0]["message"],
           "a doubled name is told with its place (R-023)")
        big = indicator(10, "green", external_references=[
            {"source_name": "s", "external_id": str(n)} for n in range(20000)])
        same(self.client.push(collection, [big]).json["success_count"], 1, "20,000 references (R-022)")
        custom = indicator(11, "green", x_odd={"ü": [1, 2.5, {"deep": [[0]]}]},
                           extensions={"extension-definition--" + uuid4(12): {
                               "extension_type": "property-extension", "zone": 1, "area": 2}})
        self.client.push(collection, [custom])
        got = [o for o in self.client.pull(collection)[0] if o["id"] == custom["id"]]
        same(got, [custom], "unknown properties come back as sent (R-037)")
        same(self.isg.process.poll(), None, "the gateway lives")

    def long_names(self):
        """A place or a name that is cut in a message is cut between characters: the status is JSON."""
        self.room()
        for shift in range(3):
            name = "x" * shift + "\u6c34" * 90
            status = self.client.push("room%d" % self.count, [
                indicator(1, "green", **{name: None}), indicator(2, "green", **{name: [{name: None}]})])
            same((status.status, status.json["failure_count"]), (202, 2), "refused, and said in UTF-8")
            ok("\u6c34" in status.json["failures"][0]["message"], "with the name's beginning")

    def doubles(self):
        collection, path = self.room()
        def version(n, **more):
            return indicator(1, "green", modified="2026-01-%02dT00:00:00.000Z" % n, **more)
        status = self.client.push(collection, [version(9), version(7), version(8), version(9),
                                               version(9, name="other")]).json
        same((status["success_count"], status["failure_count"]), (4, 1), "versions out of order")
        ok("S-100" in status["failures"][0]["message"], "other content of a version: the rule")
        same([o["modified"][8:10] for o in self.client.pull(collection)[0]], ["09"],
             "the latest is the latest, whatever came last (X-32)")
        versions = self.client.get(path + indicator(1)["id"] + "/versions/").json["versions"]
        same(len(versions), 3, "each version is there once")
        status = self.client.push(collection, [version(9, name="number %d" % n)
                                               for n in range(100)]).json
        same(status["failure_count"], 100, "a hundred other contents: the first stays (R-034)")
        address = {"type": "ipv4-addr", "spec_version": "2.1", "value": "198.51.100.9",
                   "id": "ipv4-addr--" + uuid4(5)}
        forms = [dict(address, x_n=n // 2) for n in range(6)]
        status = self.client.push(collection, forms).json
        same(status["success_count"], 6, "forms of an observable never conflict (S-100)")
        red = indicator(20, object_marking_refs=["marking-definition--" +
                        "e828b379-4e03-4974-9ac4-e53a884c97c1"])
        self.client.push(collection, [red])
        plain = dict(red)
        del plain["object_marking_refs"]
        status = self.client.push(collection, [plain]).json
        same(status["failure_count"], 1, "the same without its marking is refused (R-036)")
        ok(red["id"] not in [o["id"] for o in self.other.pull(collection)[0]],
           "and stays hidden from others")
        sent = dict(indicator(21, "green"), x_date_added="2000-01-01T00:00:00Z",
                    created_by_ref="identity--" + uuid4(21))
        self.client.push(collection, [sent])
        page = self.client.get(path + sent["id"] + "/")
        ok(page.json["objects"] == [sent] and
           not page.headers["X-TAXII-Date-Added-First"].startswith("2000"),
           "date added is ours (R-051)")

    def kept(self, collection, words):
        """The keys of the collection's texts that hold these words."""
        cli = ["redis-cli", "-s", os.path.join(self.isg.dir, "redis/redis.sock")]

        def ask(*command):
            return subprocess.run([*cli, *command], capture_output=True, check=True).stdout
        keys = ask("--scan", "--pattern", "isg:{c:%s}:[kio]:*" % collection).split()
        return [key for key in keys if words in ask("get", key)]

    def deleted(self):
        collection, path = self.room()
        thing = indicator(1, "green", name="never again here: pump 77")
        first = self.client.push(collection, [thing]).json["successes"][0]
        before = self.client.get(path).headers["X-TAXII-Date-Added-Last"]
        same(len(self.kept(collection, b"never again here")), 1, "it is there once")
        same(self.client.request("DELETE", path + thing["id"] + "/").status, 200, "deleted")
        same(self.kept(collection, b"never again here"), [], "its bytes are gone from the store")
        same(self.client.push(collection, [thing]).json["successes"][0].get("message"), None,
             "it can come again")
        after = self.client.get(path).headers["X-TAXII-Date-Added-Last"]
        ok(after > before, "with a date of its own")
        same(first["id"], thing["id"], "under its id")

    def large(self):
        collection, path = self.room()
        things = [indicator(n, "green", pattern="[url:value = 'u']") for n in range(2500)]
        things[5]["pattern"] = "["
        things.append(things[0])
        answer = self.client.push(collection, things)
        status = answer.json
        same((answer.status, status.get("status"), status.get("pending_count")),
             (202, "pending", 2501), "a large push is pending at once")
        status, good = until_complete(self.client, status)
        ok(good, "and adds up all the way (T-094, X-26)")
        same((status["status"], status["success_count"], status["failure_count"]),
             ("complete", 2500, 1), "it is completed in the background")
        ok("/pattern" in status["failures"][0]["message"], "failures say path and rule")
        same(len(self.ids(collection)), 2499, "all are there, once")
        same(self.client.get("/api/status/%s/" % status["id"]).json, status, "it stays so (T-093)")
        same(self.other.get("/api/status/%s/" % status["id"]).status, 404, "for its owner only")
        answer = self.client.request("POST", path, b'{"objects":[' + b"{}," * 10001 + b"{}]}")
        same(answer.status, 422, "an envelope of nothing but refusals is none")

    def paused(self):
        collection, _ = self.room()
        pid = self.isg.redis_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            small = self.client.push(collection, [indicator(1, "green")])
            large = self.client.push(collection, [indicator(n, "green") for n in range(2000)])
            took = time.monotonic() - began
        finally:
            os.kill(pid, signal.SIGCONT)
        same((small.status, large.status), (503, 503), "a paused Redis: 503")
        ok(took < 60 and small.headers["Retry-After"], "soon, with Retry-After")
        ok(until(lambda: self.client.push(collection, [indicator(1, "green")]).status == 202),
           "and afterwards it goes on")
        ok(set(self.ids(collection)) >= {indicator(1)["id"]}, "with what was acknowledged")

    def survives(self):
        """kill -9 while a large push is worked off, several times."""
        collection, _ = self.room()
        things = [indicator(50000 + n, "green") for n in range(4000)]
        status = self.client.push(collection, things).json
        same(status["status"], "pending", "4,000 objects wait")
        for delay in (0.0, 0.15, 0.3):
            time.sleep(delay)
            self.isg.process.kill()
            self.isg.process.wait()
            self.client.close()
            self.isg.start()
        status, good = until_complete(self.client, self.client.get(
            "/api/status/%s/" % status["id"]).json)
        ok(good, "adds up after each death")
        same((status["status"], status["success_count"]), ("complete", 4000), "and is completed")
        ids = self.ids(collection)
        same((len(ids), len(set(ids))), (4000, 4000), "each object is there once")


with Instance(config="limits:\n  max_content_length: 2 MiB\nredis:\n  timeout_ms: 2000\n") as isg:
    pushes = Pushes(isg)
    for case in ("pieces", "broken", "too_large", "verdicts", "long_names", "doubles", "deleted", "large",
                 "paused", "survives"):
        print("# " + case, flush=True)
        getattr(pushes, case)()
done()
