"""Filters, pages, tokens, versions, dates, entity tags, what a member may not see."""
import itertools
import json
import os
import signal
import threading
import time
import uuid

from harness import EPOCH, STAMP, STIX, address, indicator, malware, relationship, statement

MALFORMED = (
    "limit=0", "limit=-1", "limit=1.5", "limit=ten", "limit=", "limit=%2B5", "limit=5&limit=5",
    "added_after=", "added_after=yesterday", "added_after=2026-01-01", "added_after=1700000000",
    "added_after=2026-13-01T00:00:00Z", "added_after=9999-12-31T23:59:60Z", "added_after=2026-01-01T00:00:00+00:00",
    "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
    "added_after=2026-01-01T00:00:00Z,2026-01-02T00:00:00Z", "next=", "next=nonsense",
    "next=A&next=A", "match[type]=", "match[type]=indicator,", "match[type]=a,,b",
    "match[type]=indicator&match[type]=malware", "match[type]=indicator&match%5Btype%5D=malware",
    "match[id]=", "match[id]=nonsense", "match[version]=", "match[version]=newest",
    "match[version]=all,last", "match[version]=all,2026-01-01T00:00:00.000Z",
    "match[version]=last,last", "match[version]=first&match[version]=last",
    "match[spec_version]=", "match[spec_version]=two", "x=%zz", "limit=%00")


def malformed(w):
    b, a = w.book, w.client("hospital-a")
    thing = indicator(1)
    a.push(w.url("open"), [thing])
    for query in MALFORMED:
        got = [a.get(w.url("open") + p + "?" + query).status for p in ("objects/", "manifest/")]
        b.equal("T-033", got, [400, 400], query)
    one = "objects/%s/" % thing["id"]
    for query in ("limit=0", "added_after=x", "match[version]=x", "next=x"):
        b.equal("T-033", a.get(w.url("open") + one + "?" + query).status, 400, "object: " + query)
    for query in ("limit=0", "added_after=x", "match[spec_version]=x", "next=x"):
        b.equal("T-033", a.get(w.url("open") + one + "versions/?" + query).status, 400,
                "versions: " + query)
    for query in ("match[colour]=blue", "x=1&x=2", "match[type]=x-unheard-of", "added-after=x", "&&",
                  "match[spec_version]=2.0,2.1", "limit=99999999999999999999999"):
        b.equal("T-047", a.get(w.url("open") + "objects/?" + query).status, 200, query)
    capitals = thing["id"][:11] + thing["id"][11:].upper()
    got = [a.get(w.url("open") + "objects/" + q).ids() for q in (capitals + "/", "?match[id]=" + capitals)]
    b.equal("S-013", got, [[thing["id"]]] * 2, "a UUID in capitals is the same one")
    b.ok("T-068", b"yesterday" not in a.get(w.url("open") + "objects/?added_after=yesterday").body,
         "an error does not repeat what was sent")


def fill(w):
    """21 objects of three types, in a known order, one at a time and in bulk."""
    a = w.client("hospital-a")
    things = []
    for n in range(7):
        batch = [indicator(n), malware(n), address("192.0.2.%d" % (100 + n))]
        a.push(w.url("paging"), batch)
        things += batch
    return things


def paging(w):
    b, a = w.book, w.client("maker")
    url = w.url("paging")
    things = fill(w)
    ids = [t["id"] for t in things]
    whole = a.get(url + "objects/")
    b.equal("T-039", (whole.ids(), "more" in whole.json()), (ids, False),
            "all of it, oldest first, when it fits (T-031, T-036)")
    b.equal("T-115", whole.objects(), things, "content comes back as it went in")
    manifest = a.get(url + "manifest/")
    records = manifest.objects()
    dates = [r["date_added"] for r in records]
    b.equal("T-107", [r["id"] for r in records], ids, "the manifest selects the same")
    b.ok("T-108", all(set(r) == {"id", "date_added", "version", "media_type"} and
                      STAMP.match(r["date_added"]) and r["media_type"] == STIX for r in records),
         "manifest records are complete (T-109)")
    b.equal("T-063", dates, sorted(set(dates)), "dates rise strictly, also within one push")
    b.equal("T-027", (manifest.header("X-TAXII-Date-Added-First"),
                      manifest.header("X-TAXII-Date-Added-Last")), (dates[0], dates[-1]),
            "the headers are of the first and last object")
    versions = {r["id"]: r["version"] for r in records}
    b.equal("T-055", (versions[ids[0]], versions[ids[2]]), (things[0]["modified"], dates[2]),
            "version is modified; of an SCO its date added")
    for endpoint, limit in itertools.product(("objects/", "manifest/"), (1, 2, 5, 20, 21, 22, None)):
        pages = a.walk(url + endpoint, limit)
        b.equal("T-058", sum((p.ids() for p in pages), []), ids,
                "walk by next: %s limit %s" % (endpoint, limit))
        b.ok("T-038", all(len(p.objects()) <= (limit or 50) for p in pages), "no page is too long")
        sizes = [len(p.objects()) for p in pages]
        b.ok("T-041", all(n == limit for n in sizes[:-1]) and sizes[-1] > 0, "pages are full", sizes)
    for endpoint, limit in itertools.product(("objects/", "manifest/"), (1, 4)):
        pages = a.walk_by_date(url + endpoint, limit)
        b.equal("T-059", sum((p.ids() for p in pages), []), ids,
                "walk by date: %s limit %d" % (endpoint, limit))
    for i in (0, 5, 19):
        got = a.get(url + "objects/?added_after=" + dates[i]).ids()
        b.equal("T-034", got, ids[i + 1:], "added_after is strict (X-08)")
        cut = dates[i][:23] + "Z"
        got = a.get(url + "objects/?added_after=" + cut).ids()
        want = [r["id"] for r in records if r["date_added"] > cut[:-1] + "000Z"]
        b.equal("X-34", got, want, "added_after with three digits compares as a time")
    after = a.get(url + "objects/?added_after=" + dates[-1])
    b.equal("T-071", (after.json(), after.status), ({}, 200), "nothing later: {}")
    b.equal("T-029", [after.header("X-TAXII-Date-Added-" + e) for e in ("First", "Last")],
            [dates[-1]] * 2, "and the headers repeat added_after")
    empty = a.get(w.url("empty") + "objects/")
    b.equal("T-029", (empty.json(), empty.header("X-TAXII-Date-Added-Last")), ({}, EPOCH),
            "an empty collection: {} and the epoch")
    b.equal("T-110", a.get(w.url("empty") + "manifest/").json(), {}, "an empty manifest")
    short = a.get(w.url("empty") + "objects/?added_after=2026-01-01T00:00:00Z")
    b.equal("X-13", short.header("X-TAXII-Date-Added-First"), "2026-01-01T00:00:00.000000Z",
            "the header always has six digits (X-14)")


def tokens(w):
    b, a, m = w.book, w.client("hospital-a"), w.client("maker")
    url = w.url("paging")
    first = m.get(url + "objects/?limit=4")
    token = first.json()["next"]
    second = m.get(url + "objects/?limit=4&next=" + token)
    b.equal("T-064", m.get(url + "objects/?limit=4&next=" + token).body, second.body,
            "a retry gives the same page")
    b.equal("X-12", m.get(url + "objects/?limit=2&next=" + token).ids(), second.ids()[:2],
            "with another limit")
    b.equal("X-07", m.get(url + "objects/?limit=4&next=%s&added_after=%s" %
                          (token, first.header("X-TAXII-Date-Added-Last"))).ids(), second.ids(),
            "with added_after beside it")
    late = m.get(url + "manifest/").objects()[9]["date_added"]
    b.equal("X-07", m.get(url + "objects/?limit=4&next=%s&added_after=%s" % (token, late)).ids(),
            m.get(url + "objects/?limit=4&added_after=" + late).ids(),
            "added_after counts beside the position")
    for text, r in (
            ("another member", a.get(url + "objects/?limit=4&next=" + token)),
            ("another collection", m.get(w.url("open") + "objects/?limit=4&next=" + token)),
            ("another endpoint", m.get(url + "manifest/?limit=4&next=" + token)),
            ("another filter", m.get(url + "objects/?limit=4&match[type]=malware&next=" + token)),
            ("a changed token", m.get(url + "objects/?limit=4&next=" + token[:-2] + "AA")),
            ("a cut token", m.get(url + "objects/?limit=4&next=" + token[:10])),
            ("a long token", m.get(url + "objects/?limit=4&next=" + token * 20))):
        b.equal("T-043", r.status, 400, "token of or for " + text)
    c1 = m.get(url + "objects/?limit=3&match[type]=indicator,malware").json()["next"]
    b.equal("T-046", m.get(url + "objects/?limit=3&match%5Btype%5D=malware%2Cindicator&next=" + c1)
            .status, 200, "the order of values does not matter to a token")
    new = indicator(99)
    a.push(url, [new])
    rest = m.walk(url + "objects/", 4, token)
    b.ok("T-064", rest[-1].ids()[-1] == new["id"], "what arrives during a walk comes at its end")
    a.ask("DELETE", url + "objects/%s/" % second.ids()[0])
    b.equal("T-064", m.get(url + "objects/?limit=3&next=" + token).ids(), second.ids()[1:4],
            "what is deleted during a walk shifts nothing")
    b.equal("-", w.restart(), 0, "the server stops cleanly")
    m = w.client("maker")
    b.equal("X-33", m.get(url + "objects/?limit=3&next=" + token).ids(), second.ids()[1:4],
            "a token survives a restart")


def filters(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("paging")
    every = a.get(url + "objects/").objects()

    def want(*types):
        return [o["id"] for o in every if o["type"] in types]

    def got(query, endpoint="objects/"):
        return a.get(url + endpoint + "?" + query).ids()

    some = [every[1]["id"], every[6]["id"]]
    for endpoint in ("objects/", "manifest/"):
        b.equal("T-049", got("match[type]=malware", endpoint), want("malware"), "one type")
        b.equal("T-046", got("match[type]=malware,ipv4-addr", endpoint), want("malware", "ipv4-addr"),
                "two types are ORed")
        b.equal("T-048", got("match[id]=" + ",".join(some), endpoint), some, "two ids (X-19)")
        b.equal("T-045", got("match[id]=%s&match[type]=%s" % (",".join(some), every[1]["type"]), endpoint),
                [i for i in some if i.split("--")[0] == every[1]["type"]], "fields are ANDed")
        b.equal("T-050", got("match[spec_version]=2.0", endpoint), [], "another spec version")
        b.equal("T-050", got("match[spec_version]=2.1", endpoint), [o["id"] for o in every], "ours")
        b.equal("T-048", got("match[id]=" + indicator()["id"], endpoint), [], "an unknown id")
        b.equal("T-022", got("match%5Btype%5D=malware%2Cipv4-addr", endpoint),
                want("malware", "ipv4-addr"), "percent-encoded, as HTTP libraries send it")
    for kind in ("attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident",
                 "infrastructure", "intrusion-set", "language-content", "location", "note", "opinion",
                 "observed-data", "relationship", "report", "sighting", "threat-actor", "tool",
                 "vulnerability", "x509-certificate", "windows-registry-key", "extension-definition"):
        r = a.get(url + "objects/?match[type]=" + kind)
        b.equal("T-049", (r.status, r.json()), (200, {}), "no object of type " + kind)
    b.equal("T-007", got("match[type]=Malware"), [], "names of types are exact in case")
    b.equal("T-007", got("match[TYPE]=malware&LIMIT=1"), [o["id"] for o in every],
            "so are names of parameters: these are unknown ones")
    b.equal("T-007", a.get(url + "objects/?match[version]=LAST").status, 400, "and their words")
    pages = a.walk(url + "objects/?match[type]=indicator,malware", 3)
    b.equal("T-043", sum((p.ids() for p in pages), []), want("indicator", "malware"),
            "a filtered walk")


def versions(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("open")
    stamps = ["2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.123456Z"]
    thing = indicator(40)
    forms = [dict(thing, modified=s, name=s) for s in stamps]
    for i in (1, 2, 0):  # the oldest arrives last
        s = a.push(url, [forms[i]]).json()
        b.ok("T-117", s["success_count"] == 1, "version %d" % i, s)
    path = url + "objects/%s/" % thing["id"]

    def got(query):
        by_path = [o["modified"] for o in a.get(path + "?" + query).objects()]
        by_list = [o["modified"] for o in
                   a.get(url + "objects/?match[id]=%s&%s" % (thing["id"], query)).objects()]
        records = [o["version"] for o in
                   a.get(url + "manifest/?match[id]=%s&%s" % (thing["id"], query)).objects()]
        b.equal("T-107", (by_path, records), (by_list, by_list), "three endpoints agree: " + query)
        return sorted(by_path)

    b.equal("T-052", got(""), [stamps[2]], "the default is the latest by modified (X-32)")
    b.equal("T-053", got("match[version]=last"), [stamps[2]], "last")
    b.equal("T-053", got("match[version]=first"), [stamps[0]], "first")
    b.equal("T-053", got("match[version]=all"), sorted(stamps), "all")
    b.equal("T-053", got("match[version]=first,last"), [stamps[0], stamps[2]], "a union of words")
    b.equal("T-053", got("match[version]=" + stamps[1]), [stamps[1]], "one timestamp")
    b.equal("X-32", got("match[version]=2026-03-02T00:00:00.000000Z"), [stamps[1]],
            "the same instant in other digits")
    b.equal("T-053", got("match[version]=first," + stamps[1]), stamps[:2], "word and timestamp")
    many = ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.00Z", "2026-03-03T00:00:00.1234560Z",
            "2026-03-02T00:00:00.0Z"] + ["2026-03-02T00:00:00.%dZ" % n for n in range(1, 120)]
    b.equal("T-053", got("match[version]=" + ",".join(reversed(many))), sorted(stamps),
            "many instants, in any order and with any digits")
    b.equal("T-053", got("match[version]=2020-01-01T00:00:00.000Z"), [], "a version nobody has")
    r = a.get(path + "?match[version]=2020-01-01T00:00:00.000Z")
    b.equal("T-112", (r.status, r.json()), (200, {}), "filters exclude all: 200 {}")
    b.equal("T-112", a.get(path + "?match[spec_version]=2.0").json(), {}, "also by spec version")
    b.equal("T-112", a.get(url + "objects/%s/" % indicator()["id"]).status, 404, "an unknown object")
    b.equal("T-112", a.get(url + "objects/nonsense/").status, 404, "no identifier at all")
    listed = a.get(path + "versions/").json()
    b.equal("T-113", sorted(listed["versions"]), sorted(stamps), "versions lists all")
    pages = a.walk(path + "versions/", 1)
    b.equal("T-114", sorted(sum((p.json()["versions"] for p in pages), [])), sorted(stamps),
            "versions pages by next (T-062)")
    dates = [o["date_added"] for o in
             a.get(url + "manifest/?match[version]=all&match[id]=" + thing["id"]).objects()]
    b.equal("T-114", len(a.get(path + "versions/?added_after=" + dates[0]).json()["versions"]), 2,
            "versions honours added_after")
    b.equal("T-114", a.get(path + "versions/?match[spec_version]=2.0").json(), {},
            "and match[spec_version]")
    b.equal("T-113", a.get(url + "objects/%s/versions/" % indicator()["id"]).status, 404,
            "versions of an unknown object")
    marking, sco = statement("versions"), address("203.0.113.5")
    a.push(url, [marking, sco])
    b.equal("T-113", a.get(url + "objects/%s/versions/" % marking["id"]).json(),
            {"versions": [marking["created"]]}, "created where there is no modified")
    date = a.get(url + "manifest/?match[id]=" + sco["id"]).objects()[0]["date_added"]
    b.equal("T-055", a.get(url + "objects/%s/versions/" % sco["id"]).json(), {"versions": [date]},
            "an SCO: its date added")
    b.equal("X-20", a.get(url + "objects/%s/?match[version]=%s" % (sco["id"], date)).objects(), [sco],
            "found by it, and without injected properties")


def fidelity(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("open")
    odd = malware(50, name="Pumpe \u00e4\u4e2d\U0001f489 \u2028 \\ \" /", x_vendor_number=1e21,
                  x_vendor_small=0.1, x_vendor_null_free={"nested": [1, 2.5, True, {"deep": ["x"]}]},
                  description="line\nline\ttab\u0001")
    odd["modified"] = "2026-01-02T03:04:05.100000Z"
    r = a.push(url, [odd])
    b.ok("T-115", r.json()["success_count"] == 1, "custom properties are taken", r.body)
    back = a.get(url + "objects/%s/" % odd["id"])
    b.equal("T-115", back.objects(), [odd], "and come back, timestamps as text")
    b.ok("T-001", back.body.decode("utf-8") and "\u00e4" in back.body.decode("utf-8"), "as UTF-8")
    plain = malware(51)
    del plain["spec_version"]
    if a.push(url, [plain]).json()["success_count"] == 1:
        b.ok("X-36", "spec_version" not in a.get(url + "objects/%s/" % plain["id"]).objects()[0],
             "nothing is added to foreign objects")


def secrets(w):
    """What policy hides is nowhere: lists, counts, dates, tokens, single objects (R-048, T-068)."""
    b, a, o, s = w.book, w.client("hospital-a"), w.client("hospital-b"), w.client("staff-1")
    w.COLLECTIONS["mixed"] = ("api", None, w.NOT_NOBODY, w.NOT_NOBODY)
    w.id["mixed"] = w.make_collection("mixed", *w.COLLECTIONS["mixed"])
    url = w.url("mixed")
    green = [indicator(n, tlp="green") for n in range(6)]
    red = [indicator(n, tlp="red") for n in range(6)]
    a.push(url, [x for pair in zip(green, red) for x in pair])
    shown = [g["id"] for g in green]
    b.equal("R-048", o.get(url + "objects/").ids(), shown, "another member sees no RED")
    b.equal("R-048", o.get(url + "manifest/").ids(), shown, "nor in the manifest")
    b.equal("R-048", sorted(s.get(url + "objects/").ids()), sorted(shown + [r["id"] for r in red]),
            "staff do")
    b.equal("R-048", len(a.get(url + "objects/").ids()), 12, "the source does")
    b.equal("T-068", [o.get(url + "objects/%s/" % r["id"]).status for r in red], [404] * 6,
            "by id: 404")
    b.equal("T-068", o.get(url + "objects/?match[id]=" + red[0]["id"]).json(), {}, "match[id]: {}")
    b.equal("T-113", o.get(url + "objects/%s/versions/" % red[0]["id"]).status, 404, "versions: 404")
    b.equal("T-131", o.ask("DELETE", url + "objects/%s/" % red[0]["id"]).status, 404, "DELETE: 404")
    b.equal("T-131", a.get(url + "objects/%s/" % red[0]["id"]).status, 200, "and it is still there")
    pages = o.walk(url + "objects/", 1)
    b.equal("T-043", (sum((p.ids() for p in pages), []), len(pages)), (shown, 6),
            "a walk has exactly the pages of what is seen")
    last = o.get(url + "objects/?limit=6")
    b.ok("T-041", "more" not in last.json(), "hidden objects behind make no more")
    b.equal("R-050", (o.get(url + "objects/").ids(), a.get(url + "objects/").ids() == shown), (shown, False),
            "the cache keeps members apart")
    newer = dict(green[0], modified="2026-06-01T00:00:00.000Z",
                 object_marking_refs=red[0]["object_marking_refs"])
    a.push(url, [newer])
    b.equal("T-052", [x["modified"] for x in o.get(url + "objects/%s/" % green[0]["id"]).objects()],
            [green[0]["modified"]], "a newer hidden version does not hide the older one")
    references(w, url)


def references(w, url):
    """R-032: circles of references, and a creator that others may not see."""
    b, a, o = w.book, w.client("hospital-a"), w.client("hospital-b")
    maker = {"type": "identity", "spec_version": "2.1", "id": "identity--" + str(uuid.uuid4()),
             "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
             "name": "Ward 7", "object_marking_refs": indicator(tlp="red")["object_marking_refs"]}
    made = indicator(20, tlp="green", created_by_ref=maker["id"])
    first, second = (relationship(made["id"], tlp="green") for _ in range(2))
    first["target_ref"], second["target_ref"] = made["id"], first["id"]
    second["source_ref"], made["x_seen_with"] = second["id"], second["id"]
    s = a.push(url, [maker, made, first, second]).json()
    b.ok("R-032", s["total_count"] == 4 and s["success_count"] >= 3, "circles are taken or refused", s)
    b.equal("R-032", o.get(url + "objects/?match[type]=indicator&match[id]=" + made["id"]).objects(), [made],
            "who sees the object sees it as it is")
    b.equal("R-032", (o.get(url + "objects/%s/" % maker["id"]).status,
                      o.get(url + "objects/?match[type]=identity").json()), (404, {}),
            "and not what it names")


def caching(w):
    b, a = w.book, w.client("hospital-a")
    url = w.url("second")
    a.push(url, [indicator(60)])
    r = a.get(url + "objects/")
    tag = r.header("ETag")
    b.ok("ETag", tag and tag.startswith('"') and tag.endswith('"'), "a strong entity tag", tag)
    for value in (tag, "W/" + tag, '"x", ' + tag, "*"):
        n = a.get(url + "objects/", If_None_Match=value)
        b.equal("304", (n.status, n.header("ETag"), n.header("X-TAXII-Date-Added-Last")),
                (304, tag, r.header("X-TAXII-Date-Added-Last")), "If-None-Match: " + value[:8])
        b.equal("304", n.header("Content-Length"), "0", "nothing that a client could wait for")
    b.equal("304", a.get(url + "objects/", If_None_Match='"x"').status, 200, "another tag")
    thing = indicator(61)
    a.push(url, [thing])
    n = a.get(url + "objects/", If_None_Match=tag)
    b.equal("T-039", (n.status, n.ids()[-1]), (200, thing["id"]), "a push is seen at once")
    first = a.get(url + "objects/?limit=1")
    a.push(url, [indicator(62)])
    b.equal("ETag", a.get(url + "objects/?limit=1").header("ETag"), first.header("ETag"),
            "a page before the head stays as it is")
    a.ask("DELETE", url + "objects/%s/" % first.ids()[0])
    b.ok("T-127", a.get(url + "objects/?limit=1").ids() != first.ids(), "until an object goes")
    newer = dict(thing, modified="2026-05-01T00:00:00.000Z")
    a.push(url, [newer])
    got = [o["modified"] for o in a.get(url + "objects/").objects() if o["id"] == thing["id"]]
    b.equal("T-052", got, [newer["modified"]], "a newer version takes the place of the older")
    h = a.ask("HEAD", url + "objects/")
    g = a.get(url + "objects/")
    b.equal("HEAD", [h.header(n) for n in ("ETag", "Content-Length", "X-TAXII-Date-Added-First")],
            [g.header(n) for n in ("ETag", "Content-Length", "X-TAXII-Date-Added-First")],
            "HEAD has the headers of GET")


def many(w):
    """More than a block of positions and more than a page: nothing lost, nothing twice."""
    b, a = w.book, w.client("hospital-a")
    w.COLLECTIONS["many"] = ("api", None, w.NOT_NOBODY, w.NOT_NOBODY)
    w.id["many"] = w.make_collection("many", *w.COLLECTIONS["many"])
    url = w.url("many")
    ids = []
    for n in range(5):
        batch = [address("198.18.%d.%d" % (n, i)) for i in range(250)]
        s = a.push(url, batch).json()
        ids += [t["id"] for t in batch]
        b.equal("T-094", s["success_count"], 250, "250 objects in one push")
    pages = a.walk(url + "objects/", 1000)
    b.equal("T-058", sum((p.ids() for p in pages), []), ids, "a walk over 1250 objects")
    b.equal("T-040", {len(p.objects()) for p in pages}, {50}, "the server's own cap makes the pages")
    pages = a.walk_by_date(url + "manifest/", 50)
    b.equal("T-059", sum((p.ids() for p in pages), []), ids, "and by date")
    last = a.get(url + "objects/?match[id]=" + ids[-1])
    b.equal("T-048", last.ids(), [ids[-1]], "one id far from the start")
    b.ok("T-147", json.loads(pages[0].body).get("more") is True, "pages are bounded")


def crosstalk(w):
    """Two members ask the same URLs at the same time, another writes: nobody gets what is not his,
    and no page is old (R-050)."""
    b = w.book
    w.COLLECTIONS["busy"] = ("api", None, w.NOT_NOBODY, w.NOT_NOBODY)
    w.id["busy"] = w.make_collection("busy", *w.COLLECTIONS["busy"])
    url = w.url("busy")
    source = w.client("hospital-a")
    seen = {"maker": [], "staff-1": [], "hospital-a": []}
    stop = threading.Event()

    def read(user):
        c = w.client(user)
        while not stop.is_set():
            for query in ("", "?limit=3", "?match[type]=indicator", "?limit=200"):
                seen[user].append([o["name"] for o in c.get(url + "objects/" + query).objects()])

    threads = [threading.Thread(target=read, args=(u,)) for u in seen]
    for t in threads:
        t.start()
    for n in range(20):
        source.push(url, [indicator(n, tlp="red", name="red"), indicator(n, tlp="green", name="green")])
    fresh = len(w.client("maker").get(url + "objects/").objects())
    stop.set()
    for t in threads:
        t.join()
    b.equal("T-039", fresh, 20, "the last push is seen at once by others")
    b.ok("R-050", not any("red" in names for names in seen["maker"]),
         "in %d answers no hidden object" % len(seen["maker"]))
    b.ok("R-050", any("red" in names for names in seen["staff-1"]), "while staff got theirs")
    lengths = [len(names) for names in seen["maker"][3::4]]
    b.equal("T-031", lengths, sorted(lengths), "no answer is older than the one before")


def store_down(w):
    """A store that does not answer: 503 with Retry-After, never an empty page or half a success."""
    b, a = w.book, w.client("hospital-a")
    url = w.url("paging")
    before = a.get(url + "objects/?limit=5")
    pid = w.server.redis_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(1.2)
        for text, r in (("a page that was cached", a.get(url + "objects/?limit=5")),
                        ("another page", a.get(url + "objects/?limit=6")),
                        ("a push", a.push(url, [indicator(1)])),
                        ("a DELETE", a.ask("DELETE", url + "objects/%s/" % before.ids()[0])),
                        ("a status", a.get("/api/status/%s/" % uuid.uuid4()))):
            allowed = (503,) if "cached" not in text else (200, 503)
            b.ok("R-012", r.status in allowed and (r.status == 200 or r.header("Retry-After")),
                 "store paused: " + text, (r.status, r.headers))
            b.ok("T-068", b"redis" not in r.body.lower(), "and no word of what is behind")
        b.equal("T-077", a.get("/taxii2/").status, 200, "what needs no store is answered")
    finally:
        os.kill(pid, signal.SIGCONT)
    for _ in range(240):
        after = a.get(url + "objects/?limit=5")
        if after.status == 200:
            break
        time.sleep(0.25)
    b.equal("T-064", after.ids(), before.ids(), "afterwards the same as before")
    thing = indicator(2)
    s = a.push(url, [thing])
    for _ in range(240):
        if s.status == 202:
            break
        time.sleep(0.25)
        s = a.push(url, [thing])
    b.equal("T-117", s.status, 202, "and pushes are taken again")


PARTS = (malformed, paging, tokens, filters, versions, fidelity, secrets, caching, many, crosstalk, store_down)
