#!/usr/bin/env python3
"""Two gateways on one Redis: one log, one set of members, whoever is asked.

Writers, deleters and pollers on both at once; then every invariant of the log is checked. What is
done through one is asked of the other a second later. ISG_SOAK_SECONDS lengthens the mixed part.
"""
import http.server
import json
import os
import random
import ssl
import threading
import time

from gateway import Instance, Redis, done, indicator, ok, same, until

SECONDS = min(float(os.environ.get("ISG_SOAK_SECONDS", "8")), 120)
PATH = "/api/collections/shared/objects/"
FRESH = 1.0  # seconds after which the other gateway serves nothing older


def client(isg, name):
    return isg.client(name, "secret of " + name)


class Worker(threading.Thread):
    """step() until the end, taking turns at the gateways; a failure is kept for the report."""

    def __init__(self, name, gateways, number):
        super().__init__()
        self.clients = [client(g, name) for g in gateways]
        self.number, self.steps, self.failure, self.end = number, 0, None, time.time() + SECONDS

    def run(self):
        while time.time() < self.end and self.failure is None:
            try:
                self.step()
                self.steps += 1
            except Exception as e:  # the reason is what the test reports
                self.failure = "%s: %r" % (type(self).__name__, e)

    def any(self):
        return random.choice(self.clients)


class Writer(Worker):
    """Pushes; half of it again through the other gateway at once; deletes some of it there."""

    def __init__(self, *args):
        super().__init__(*args)
        self.next, self.sure, self.gone = (self.number + 1) * 1000000, set(), set()

    def step(self):
        objects = [indicator(self.next + i, "green") for i in range(10)]
        self.next += 10
        here, there = random.sample(self.clients, 2)
        second = threading.Thread(target=self.push, args=(there, objects[5:]))
        second.start()
        self.push(here, objects)
        second.join()
        if random.random() < 0.5:
            id = objects[random.randrange(10)]["id"]
            answer = there.request("DELETE", PATH + id + "/")
            if answer.status != 200:
                raise RuntimeError("delete: %d" % answer.status)
            self.sure.discard(id)
            self.gone.add(id)

    def push(self, c, objects):
        answer = c.push("shared", objects)
        if answer.status != 202 or answer.json["success_count"] != len(objects):
            self.failure = "push: %d %s" % (answer.status, answer.body[:200])
        self.sure |= {o["id"] for o in objects}


class Contender(Worker):
    """Both gateways get the same object with other content at the same moment: one form wins."""

    def step(self):
        self.number += 1
        with_name = [indicator(900000000 + self.number, "green", name=n) for n in ("one", "two")]
        answers = [None, None]

        def push(i):
            answers[i] = self.clients[i].push("shared", [with_name[i]]).json
        pair = [threading.Thread(target=push, args=(i,)) for i in (0, 1)]
        for t in pair:
            t.start()
        for t in pair:
            t.join()
        if sorted(a["success_count"] for a in answers) != [0, 1]:
            raise RuntimeError("not one of two forms: %r" % answers)


class Poller(Worker):
    """Walks the manifest by `next` or by date, each page from any of both gateways."""

    def __init__(self, *args):
        super().__init__(*args)
        self.dates, self.doubled, self.back, self.token, self.after = {}, 0, 0, None, ""

    def step(self):
        query = ["limit=%d" % random.choice((7, 50, 1000))]
        if self.token and self.number % 2:
            query.append("next=" + self.token)
        elif self.after:
            query.append("added_after=" + self.after)
        answer = self.any().get("/api/collections/shared/manifest/?" + "&".join(query))
        if answer.status != 200:
            raise RuntimeError("poll: %d %s" % (answer.status, answer.body[:200]))
        page = answer.json
        for row in page.get("objects", []):
            key = (row["id"], row["version"])
            self.doubled += key in self.dates
            self.back += row["date_added"] <= self.after
            self.dates[key] = self.after = row["date_added"]
        self.token = page.get("next")
        if not page.get("more"):
            time.sleep(0.02)


def mixed(a, b):
    """The load; afterwards what every poller got is what the log says."""
    workers = [Writer("writer", (a, b), n) for n in range(3)] + [Contender("writer", (a, b), 0)]
    workers += [Poller("reader", (a, b), n) for n in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(SECONDS + 120)
    for w in workers:
        ok(w.failure is None and w.steps > 0, "%s: %d steps%s" % (
            type(w).__name__, w.steps, "; " + w.failure if w.failure else ""))
    writers = [w for w in workers if isinstance(w, Writer)]
    sure = set().union(*(w.sure for w in writers))
    gone = set().union(*(w.gone for w in writers))
    time.sleep(FRESH)
    check_logs(a, b, sure, gone)
    log = manifest(client(a, "reader"))
    for w in workers:
        if isinstance(w, Poller):
            w.end = time.time() + 60
            while w.token or len(w.dates) == 0 or w.after < log[-1]["date_added"]:
                w.step()
            missed = {(r["id"], r["version"]) for r in log} - set(w.dates)
            same(len(missed), 0, "poller %d missed nothing of %d" % (w.number, len(log)))
            same((w.doubled, w.back), (0, 0), "and got nothing twice, nothing out of order")


def manifest(c):
    return c.pull("shared", limit=1000, endpoint="manifest")[0]


def check_logs(a, b, sure, gone):
    """Both serve the same log: dates rise, none twice, none lost, none that is deleted."""
    logs = [manifest(client(g, "reader")) for g in (a, b)]
    same(logs[0], logs[1], "both serve the same manifest")
    dates = [r["date_added"] for r in logs[0]]
    ids = [r["id"] for r in logs[0]]
    same(dates, sorted(set(dates)), "dates rise strictly")
    same(len(ids), len(set(ids)), "none of %d is there twice" % len(ids))
    same(len(sure - set(ids)), 0, "none of %d acknowledged is lost" % len(sure))
    same(len(gone & set(ids)), 0, "none of %d deleted is left" % len(gone))
    pages = [client(g, "reader").get(PATH + "?limit=1000").body for g in (a, b)]
    strip = [p.split(b'"objects"')[1] for p in pages]
    ok(strip[0] == strip[1], "both serve the same bytes")


def soon(what, name):
    """What a thread of the other gateway asks for once a second; how long it took is only told."""
    begun = time.monotonic()
    ok(until(what, step=0.02), "%s (%.2f s)" % (name, time.monotonic() - begun))


def check_freshness(a, b):
    """A write and a deletion through one, seen by the other, whose page was just in memory."""
    for here, there in ((a, b), (b, a)):
        writer, reader = client(here, "writer"), client(there, "reader")
        for n in range(2):
            o = indicator(500000000 + n + (1000 if here is b else 0), "green")
            page = PATH + "?match[id]=" + o["id"]
            all_of = PATH + "?added_after=" + manifest(reader)[-1]["date_added"]
            for path in (page, all_of, PATH + o["id"] + "/"):
                reader.get(path)
            same(writer.push("shared", [o]).status, 202, "pushed")
            time.sleep(FRESH)
            same([reader.get(p).json.get("objects") for p in (page, all_of)], [[o], [o]],
                 "a second later the other gateway serves it")
            same(reader.get(PATH + o["id"] + "/").status, 200, "by its id too")
            same(writer.request("DELETE", PATH + o["id"] + "/").status, 200, "deleted")
            time.sleep(FRESH)
            same([reader.get(p).json.get("objects") for p in (page, all_of)], [None, None],
                 "a second later it is gone there")
            same(reader.get(PATH + o["id"] + "/").status, 404, "by its id too")


def check_tokens(a, b):
    """A `next` of one is good at the other, for the same member only; so are status and token."""
    first = client(a, "reader").get(PATH + "?limit=3").json
    here = client(a, "reader").get(PATH + "?limit=5&next=" + first["next"])
    there = client(b, "reader").get(PATH + "?limit=5&next=" + first["next"])
    same(there.json["objects"], here.json["objects"], "a token of one goes on at the other")
    same(client(b, "writer").get(PATH + "?next=" + first["next"]).status, 400, "not for another member")
    status = client(a, "writer").push("shared", [indicator(600000000, "green")]).json
    path = "/api/status/%s/" % status["id"]
    same(client(b, "writer").get(path).json, status, "the status of a push is read at the other")
    same(client(b, "reader").get(path).status, 404, "by its owner only")
    token = a.json("member", "token", "reader")["token"]
    soon(lambda: b.client(token=token).get(PATH).status == 200, "a token made at one opens the other")


def status_of(isg, name, path=PATH):
    return client(isg, name).get(path).status


def check_directory(a, b):
    """Members, collections and rights that are changed at one count at the other."""
    a.member("late", "hospital")
    soon(lambda: status_of(b, "late") == 200, "a new member is known to the other")
    b.run("member", "suspend", "late")
    soon(lambda: status_of(a, "late") == 401, "a suspended one is refused by the other")
    a.collection("annex", read="reader", write="writer")
    soon(lambda: status_of(b, "reader", "/api/collections/annex/objects/") == 200,
         "a new collection is served by the other")
    same(status_of(b, "writer", "/api/collections/annex/objects/"), 403, "with its rights")
    check_lost_updates(a, b)


def check_lost_updates(a, b):
    """Changes of one member through both at once: each keeps what the other did."""
    tokens = []

    def make(isg):
        for _ in range(5):
            tokens.append(isg.json("member", "token", "writer")["token"])
    pair = [threading.Thread(target=make, args=(g,)) for g in (a, b)]
    for t in pair:
        t.start()
    for t in pair:
        t.join()
    until(lambda: b.client(token=tokens[-1]).get(PATH).status == 200)
    soon(lambda: [b.client(token=t).get(PATH).status for t in tokens] == [200] * 10,
         "ten tokens made through both at once are all good")


CVES = 200


def put_source(isg, name, text):
    path = os.path.join(isg.base, name)
    with open(path, "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    return path


def sources_of(isg, names):
    """What three sources say of the same CVEs, as files."""
    kev = [{"cveID": n, "vendorProject": "ExampleMed", "product": "Pump", "vulnerabilityName": "Pump bypass",
            "dateAdded": "2031-05-02", "shortDescription": "KEV says so.", "requiredAction": "Apply updates.",
            "dueDate": "2031-05-23", "knownRansomwareCampaignUse": "Known", "notes": "", "cwes": []} for n in names]
    nvd = [{"cve": {"id": n, "sourceIdentifier": "a@maker.example", "published": "2031-04-01T09:15:00.000",
                    "lastModified": "2031-04-02T09:15:00.000", "vulnStatus": "Analyzed", "metrics": {},
                    "descriptions": [{"lang": "en", "value": "NVD says so."}], "references": []}} for n in names]
    return [("kev", put_source(isg, "kev.json", {
        "title": "Invented", "catalogVersion": "2031.06.01", "dateReleased": "2031-06-01T12:00:00.1234Z",
        "count": len(kev), "vulnerabilities": kev})),
        ("nvd", put_source(isg, "nvd.json", {
            "resultsPerPage": len(nvd), "startIndex": 0, "totalResults": len(nvd), "format": "NVD_CVE",
            "version": "2.0", "timestamp": "2031-06-02T08:00:00.123", "vulnerabilities": nvd})),
        ("epss", put_source(isg, "epss.csv", "#model_version:v1,score_date:2031-05-02T00:00:00+0000\n"
                            "cve,epss,percentile\n" + "".join("%s,0.5,0.5\n" % n for n in names)))]


PARTS = ("kev_entry", "NVD says so.", '"percentile": 0.5')


def missing_parts(isg, names):
    """By part: how many of these CVEs are served without it."""
    found = client(isg, "reader").pull("parts", limit=1000, query="match[type]=vulnerability")[0]
    wholes = [json.dumps(o) for o in found if o["name"] in names]
    return {part: len(names) - sum(part in whole for whole in wholes) for part in PARTS}


def check_parts(a, b):
    """Both take in what different sources say of the same CVEs in the same moment: all of it is kept."""
    a.collection("parts", **{"default-tlp": "clear"})
    until(lambda: status_of(b, "reader", "/api/collections/parts/objects/") == 200)
    for round in range(3):
        names = ["CVE-2031-%d" % (20000 + round * CVES + i) for i in range(CVES)]
        sources = sources_of(a, names)
        random.shuffle(sources)
        results = [None] * len(sources)

        def take(i, isg):
            results[i] = isg.json("import", "--format", sources[i][0], "--collection", "parts", sources[i][1])
        takers = [threading.Thread(target=take, args=(i, (a, b)[i % 2])) for i in range(len(sources))]
        for t in takers:
            t.start()
        for t in takers:
            t.join()
        same([r["refused"] if r else None for r in results], [0] * len(sources), "three sources at once")
        # what came through the other gateway may show a second later; what is lost never does
        until(lambda: not any(missing_parts(a, names).values()))
        same(missing_parts(a, names), dict.fromkeys(PARTS, 0), "no part of %d CVEs is lost" % CVES)
    again = [a.json("import", "--format", f, "--collection", "parts", p)["added"] for f, p in sources]
    same(again, [0, 0, 0], "and nothing is new afterwards")


class Source(http.server.ThreadingHTTPServer):
    """A feed over TLS that notes when it is read; its certificate is the first gateway's."""

    def __init__(self, isg):
        super().__init__(("127.0.0.1", 0), SourceHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(os.path.join(isg.dir, "tls/server." + e) for e in ("pem", "key")))
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.times = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class SourceHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.times.append(time.monotonic())
        body = json.dumps({"type": "bundle", "id": "bundle--" + indicator(1)["id"][11:],
                           "objects": [indicator(800000000 + n, "green") for n in range(5)]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Gate(http.server.BaseHTTPRequestHandler):
    """A feed that answers once the test lets it."""
    asked, opened = threading.Event(), threading.Event()

    def do_GET(self):
        Gate.asked.set()
        Gate.opened.wait(300)
        body = b"ab" * 32 + b"\n" + b"cd" * 32 + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check_lost_lease(a, b, redis):
    """A run, of whichever gateway, whose lease passes to somebody else ends and has written nothing."""
    def runs(isg):
        return [f["running"] for f in isg.json("feed", "list")["feeds"] if f["name"] == "gated"] == [True]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    a.collection("gated", **{"default-tlp": "clear"})
    since = [(isg, isg.log_end()) for isg in (a, b)]
    a.run("feed", "add", "gated", "--url", "http://127.0.0.1:%d/" % server.server_port, "--format", "list",
          "--collection", "gated", "--interval", "30d", "--allow-private")
    ok(Gate.asked.wait(120), "a run is under way")
    redis.tell("SET", "isg:lease:feed:gated", "somebody", "PX", "3600000")
    ok(until(lambda: any(isg.events("sync.lease_lost", n) for isg, n in since), 120),
       "it notices that it lost its lease")
    Gate.opened.set()
    ok(until(lambda: not any(runs(isg) for isg, _ in since), 120), "and ends")
    same(client(a, "reader").pull("gated", endpoint="manifest")[0], [], "it wrote nothing")
    same(redis.cli("GET", "isg:lease:feed:gated").strip(), "somebody", "the other one's lease stands")
    redis.tell("DEL", "isg:lease:feed:gated")
    same(a.run_feed("gated").returncode, 0, "run by who holds it")
    same(len(client(a, "reader").pull("gated", endpoint="manifest")[0]) > 2, True, "it brings what the feed has")
    a.run("feed", "remove", "gated")
    server.shutdown()


def begin_feed(a):
    """Both know the feed; each time it is due one of them reads it."""
    source = Source(a)
    a.run("feed", "add", "shared-feed", "--url", "https://127.0.0.1:%d/" % source.server_port,
          "--format", "stix", "--collection", "shared", "--interval", "4s", "--allow-private",
          "--ca", os.path.join(a.dir, "tls/ca.pem"))
    until(lambda: len(manifest(client(a, "reader"))) == 5)
    return source


def end_feed(a, b, source):
    until(lambda: len(source.times) >= 4)
    source.shutdown()
    gaps = [y - x for x, y in zip(source.times, source.times[1:])]
    # Each of both on its own would read twice as often; a machine that stalls moves single reads.
    ok(3 <= len(gaps) <= sum(gaps) / 3 + 1, "the feed was read once an interval, not by each: %s" %
       " ".join("%.1f" % g for g in gaps))
    a.run("feed", "remove", "shared-feed")
    ids = [r["id"] for r in manifest(client(b, "reader"))]
    same(len(ids), len(set(ids)), "its objects are there once")
    same(len({indicator(800000000 + n)["id"] for n in range(5)} - set(ids)), 0, "all of them")


def check_stranger(a, redis):
    """A gateway with a secret of its own is told so, and says so."""
    with Instance(redis=redis.url) as stranger:
        said = stranger.run("doctor", "--json", check=False)
        checks = {c["check"]: c for c in json.loads(said.stdout)["checks"]}
        same((said.returncode, checks["gateways"]["level"]), (1, "error"), "doctor sees a stranger")
    checks = {c["check"]: c["level"] for c in json.loads(a.run(
        "doctor", "--json", check=False).stdout)["checks"]}
    same(checks["gateways"], "ok", "and not at the first gateway")


def check_start_together():
    """Two that start on an empty store at once make its first collections once."""
    with Redis() as redis:
        a = Instance(redis=redis.url)
        b = Instance(redis=redis.url, like=a)
        pair = [threading.Thread(target=i.start) for i in (a, b)]
        for t in pair:
            t.start()
        for t in pair:
            t.join()
        try:
            lists = [i.json("collection", "list")["collections"] for i in (a, b)]
            same(lists[0], lists[1], "two started at once have the same collections")
            same(sorted(c["collection"]["title"] for c in lists[0]), ["advisories", "indicators", "submissions"],
                 "each once")
        finally:
            a.__exit__()
            b.__exit__()


random.seed(5)
check_start_together()
with Redis() as redis:
    with Instance(redis=redis.url, config="log:\n  level: warn\n") as a:
        with Instance(redis=redis.url, config="log:\n  level: warn\n", like=a) as b:
            same(a.json("collection", "list"), b.json("collection", "list"), "the same collections")
            for name in ("writer", "reader"):
                a.member(name, "hospital")
            a.collection("shared", write="writer")
            until(lambda: [status_of(b, name) for name in ("writer", "reader")] == [200, 200])
            source = begin_feed(a)
            mixed(a, b)
            check_freshness(a, b)
            check_tokens(a, b)
            check_directory(a, b)
            check_parts(a, b)
            if SECONDS > 8:  # it takes a renewal to notice
                check_lost_lease(a, b, redis)
            end_feed(a, b, source)
            check_stranger(a, redis)
            same([a.stop(), b.stop()], [0, 0], "both stop as they should")
done()
