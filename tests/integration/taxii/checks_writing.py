"""Pushes, statuses, deletes."""
import json
import threading
import uuid

from harness import STAMP, address, indicator, malware, statement


def raw_push(client, url, body, **more):
    return client.ask("POST", url + "objects/", body, **more)


def check_status(b, s, counts, text):
    """T-092 to T-095, as taxii2-client checks them (X-26)."""
    got = (s["total_count"], s["success_count"], s["failure_count"], s["pending_count"])
    b.equal("T-094", got, counts, text)
    b.ok("T-092", s["status"] == "complete" and uuid.UUID(s["id"]).version == 4 and
         STAMP.match(s["request_timestamp"]), text + ": status, id and time", s)
    for name, count in (("successes", counts[1]), ("failures", counts[2]), ("pendings", counts[3])):
        entries = s.get(name, [])
        b.ok("T-095", len(entries) == count and (count > 0) == (name in s) and
             all(isinstance(e["id"], str) and e["id"] and e["version"] for e in entries),
             text + ": " + name, s)


def push(w):
    b, a = w.book, w.client("hospital-a")
    things = [indicator(1), malware(1), address("192.0.2.77"), statement("of the test")]
    r = a.push(w.url("open"), things)
    s = r.json()
    b.equal("T-117", r.status, 202, "202 with a status resource")
    check_status(b, s, (4, 4, 0, 0), "four objects")
    by_id = {e["id"]: e["version"] for e in s["successes"]}
    b.equal("T-095", [by_id.get(things[0]["id"]), by_id.get(things[3]["id"])],
            [things[0]["modified"], things[3]["created"]], "version is modified, else created")
    again = a.get("/api/status/%s/" % s["id"])
    b.equal("T-096", again.json(), s, "the status can be read")
    b.equal("X-01", a.get("/api/status/%s" % s["id"]).json(), s, "also without the slash")
    left = w.redis("TTL", "isg:status:" + s["id"])
    b.ok("T-090", isinstance(left, int) and left > 86000, "it is kept for a day", left)
    b.equal("T-091", w.client("hospital-b").get("/api/status/%s/" % s["id"]).status, 404,
            "not by another member")
    b.equal("T-091", w.client("staff-1").get("/api/status/%s/" % s["id"]).status, 200, "but by staff")
    b.equal("T-091", a.get("/other/status/%s/" % s["id"]).status, 404, "not at another root")
    b.equal("T-091", a.get("/api/status/%s/" % uuid.uuid4()).status, 404, "unknown")
    b.equal("T-091", a.get("/api/status/nonsense/").status, 404, "no id at all")
    b.equal("T-127", [a.get(w.url("open") + "objects/%s/" % t["id"]).status for t in things],
            [200] * 4, "all four are served at once")


def repeats(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("open")
    thing, sco = indicator(2), address("198.51.100.2")
    a.push(url, [thing, sco])
    before = a.get(url + "manifest/?match[id]=%s,%s" % (thing["id"], sco["id"])).body
    s = a.push(url, [thing, sco]).json()
    check_status(b, s, (2, 2, 0, 0), "the same again")
    b.ok("T-119", all(e.get("message") for e in s["successes"]), "a repeat says so", s)
    b.equal("T-119", a.get(url + "manifest/?match[id]=%s,%s" % (thing["id"], sco["id"])).body, before,
            "and adds nothing")
    s = a.push(url, [dict(thing, name="another content")]).json()
    check_status(b, s, (1, 0, 1, 0), "same id and modified, other content")
    b.equal("T-119", a.get(url + "objects/%s/" % thing["id"]).objects()[0]["name"], thing["name"],
            "the first stays")
    twice = indicator(5)
    s = a.push(url, [twice, twice]).json()
    check_status(b, s, (2, 2, 0, 0), "twice in one envelope")
    b.equal("T-119", len(a.get(url + "objects/?match[version]=all&match[id]=" + twice["id"]).objects()),
            1, "is there once")


def mixed(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("open")
    good, bad = indicator(10), indicator(11)
    del bad["pattern"]
    counters = ['isg_objects_%s_total{source="hospital-a"}' % n for n in ("accepted", "rejected")]
    before = [w.server.metric(c) for c in counters]
    s = a.push(url, [good, bad]).json()
    b.equal("metrics", [w.server.metric(c) - n for c, n in zip(counters, before)], [1, 1],
            "what was accepted and what was rejected is counted")
    check_status(b, s, (2, 1, 1, 0), "one good, one bad")
    b.equal("T-124", [e["id"] for e in s["failures"]], [bad["id"]], "the bad one is named")
    b.ok("T-124", s["failures"][0].get("message"), "with a reason", s)
    b.equal("T-124", [a.get(url + "objects/%s/" % t["id"]).status for t in (good, bad)], [200, 404],
            "the good one is stored, the bad one is not")
    for text, thing in (("no id", {"type": "indicator", "spec_version": "2.1"}), ("a number", 5),
                        ("a list", []), ("null", None), ("no type", {"id": indicator()["id"]})):
        r = a.push(url, [thing])
        b.ok("T-123", r.status in (202, 422), "%s as an object" % text, r.body)
        if r.status == 202:
            check_status(b, r.json(), (1, 0, 1, 0), text)
    r = a.push(url, [dict(indicator(12), spec_version="2.0")])
    b.ok("T-123", r.status == 422 or r.json()["failure_count"] + r.json()["success_count"] == 1,
         "an object that calls itself 2.0 is answered")


BODIES = (
    ("nothing", b""), ("blank", b"  "), ("broken", b'{"objects":['), ("a list", b"[]"),
    ("a string", b'"objects"'), ("null", b"null"), ("a number", b"5"), ("no objects", b"{}"),
    ("objects is empty", b'{"objects":[]}'), ("objects is no list", b'{"objects":{}}'),
    ("objects is null", b'{"objects":null}'), ("trailing bytes", b'{"objects":[{}]} x'),
    ("two documents", b'{"objects":[{}]}{"objects":[{}]}'), ("not UTF-8", b'{"objects":[{"a":"\xff"}]}'),
    ("NaN", b'{"objects":[{"a":NaN}]}'), ("single quotes", b"{'objects':[]}"),
    ("a byte order mark", b'\xef\xbb\xbf{"objects":[{}]}'), ("objects twice", b'{"objects":[{}],"objects":[{}]}'),
    ("a comment", b'{"objects":[{}]/*x*/}'), ("too deep", b'{"objects":[' + b"[" * 5000 + b"]" * 5000 + b"]}"),
    ("another case (T-007)", b'{"Objects":[{}]}'), ("a tab in a string", b'{"objects":[{"a":"\t"}]}'), ("XML", b"<stix/>"))


def malformed(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("empty")
    for text, body in BODIES:
        r = raw_push(a, url, body)
        if r.status == 202:
            b.equal("T-123", (r.json()["success_count"], r.json()["total_count"] > 0), (0, True),
                    "body: %s: nothing succeeds" % text)
        else:
            b.equal("T-123", r.status, 422, "body: " + text)
    r = raw_push(a, url, b'{"objects":[' + b"{}," * 12000 + json.dumps(indicator(1)).encode() + b"]}")
    b.ok("T-147", r.status == 422 and len(r.body) < 1000, "a body of nothing but bad objects", r.body)
    bundle = {"type": "bundle", "id": "bundle--" + str(uuid.uuid4()), "objects": [indicator(1)]}
    r = raw_push(a, url, json.dumps(bundle).encode())
    b.ok("X-16", r.status == 422 and b"envelope" in r.body, "a bundle as body", r.body)
    r = a.push(url, [bundle])
    b.ok("X-16", r.status == 422 or r.json()["success_count"] == 0, "a bundle inside", r.body)
    b.equal("T-124", a.get(url + "objects/").json(), {}, "nothing of all that was stored")
    r = a.push(w.url("open"), [indicator(20)], x_vendor_note="hello", more=False)
    b.ok("T-133", r.status in (202, 422), "custom members of the envelope", r.body)


def sizes(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("second")
    limit = a.get("/api/").json()["max_content_length"]
    body = json.dumps({"objects": [indicator(1)]}).encode()
    fits = body + b" " * (limit - len(body))
    b.equal("T-087", raw_push(a, url, fits).status, 202, "a body of exactly max_content_length")
    r = raw_push(w.client("hospital-a"), url, fits + b" ", watch=False)
    b.equal("T-121", r.status, 413, "one byte more")
    chunks = [body[i:i + 100] for i in range(0, len(body), 100)]
    r = raw_push(a, url, iter(chunks), headers={"Transfer-Encoding": "chunked"}, chunked=True)
    b.equal("X-29", r.status, 202, "a chunked body")
    r = raw_push(a, url, body, headers={"Expect": "100-continue"})
    b.equal("X-29", r.status, 202, "Expect: 100-continue")


def delete(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("second")
    one = "objects/%s/"
    v = ["2026-02-0%dT00:00:00.000Z" % i for i in (1, 2, 3)]
    thing = indicator(30, modified=v[0])
    things = [dict(thing, modified=m, name=m) for m in v]
    a.push(url, things)
    path = url + one % thing["id"]
    r = a.ask("DELETE", path + "?match[version]=" + v[1])
    b.equal("T-129", (r.status, r.body), (200, b""), "one version goes, without payload (T-126)")
    b.equal("T-129", a.get(path + "versions/").json(), {"versions": [v[0], v[2]]}, "the others stay")
    b.equal("T-131", a.ask("DELETE", path + "?match[version]=" + v[1]).status, 404, "it is gone")
    b.equal("T-057", a.ask("DELETE", path + "?match[version]=all,last").status, 400, "malformed: 400")
    b.equal("T-050", a.ask("DELETE", path + "?match[spec_version]=2.0").status, 404,
            "of another spec version there is none")
    b.equal("T-129", a.ask("DELETE", path + "?match[version]=last").status, 200, "the last version")
    b.equal("T-052", [o["modified"] for o in a.get(path).objects()], [v[0]], "now the first is last")
    a.push(url, [things[2]])
    b.equal("T-128", a.ask("DELETE", path).status, 200, "no match[version]: all versions")
    b.equal("T-127", a.get(path).status, 404, "404 afterwards")
    b.equal("T-127", a.get(path + "versions/").status, 404, "versions too")
    b.equal("T-127", a.get(path + "?match[version]=all").status, 404, "all of them")
    b.ok("T-127", thing["id"] not in a.get(url + "objects/?match[version]=all").ids() and
         thing["id"] not in a.get(url + "manifest/?match[version]=all").ids(), "no list shows it")
    b.equal("T-131", a.ask("DELETE", path).status, 404, "a second DELETE")
    b.equal("T-131", a.ask("DELETE", url + one % "indicator--nonsense").status, 404, "a strange id")
    a.push(url, [things[0]])
    b.equal("T-127", a.get(path).status, 200, "it can be added again")
    b.equal("X-01", a.ask("DELETE", path.rstrip("/")).status, 200, "DELETE without the slash")
    sco = address("198.51.100.99")
    a.push(url, [sco])
    b.equal("T-126", a.ask("DELETE", url + one % sco["id"]).status, 200, "an SCO")
    b.equal("T-127", a.get(url + one % sco["id"]).status, 404, "is gone")
    a.push(url, [sco])
    date = a.get(url + "manifest/?match[id]=" + sco["id"]).objects()[0]["date_added"]
    for version, status in (("2020-01-01T00:00:00Z", 404), (date, 200)):
        r = a.ask("DELETE", url + one % sco["id"] + "?match[version]=" + version)
        b.equal("T-129", r.status, status, "an SCO by its version " + version)
    b.equal("T-127", a.get(url + one % sco["id"]).status, 404, "then it is gone too")


def crowd(w):
    """Several push while one polls: everything arrives once and in order (T-063, T-064)."""
    b = w.book
    title = "crowd"
    w.COLLECTIONS[title] = ("api", None, w.NOT_NOBODY, w.NOT_NOBODY)
    w.id[title] = w.make_collection(title, *w.COLLECTIONS[title])
    url = w.url(title)
    sent = []

    def work(user):
        c = w.client(user)
        for n in range(15):
            things = [indicator(n * 4 + i) for i in range(4)]
            if c.push(url, things).status == 202:
                sent.extend(t["id"] for t in things)

    threads = [threading.Thread(target=work, args=(u,)) for u in ("hospital-a", "hospital-b", "maker")]
    for t in threads:
        t.start()
    reader, got, dates, last = w.client("hospital-b"), [], [], None
    done = False
    while not done:
        done = not any(t.is_alive() for t in threads)
        more = True
        while more:
            query = "?limit=7" + ("&added_after=" + last if last else "")
            page = reader.get(url + "manifest/" + query)
            got += page.ids()
            dates += [r["date_added"] for r in page.objects()]
            last = page.header("X-TAXII-Date-Added-Last") if page.objects() else last
            more = page.json().get("more", False)
    for t in threads:
        t.join()
    b.equal("T-063", sorted(got), sorted(sent), "a poller by date gets all %d, each once" % len(sent))
    b.equal("T-031", dates, sorted(set(dates)), "dates rise strictly")


PARTS = (push, repeats, mixed, malformed, sizes, delete, crowd)
