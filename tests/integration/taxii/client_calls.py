#!/usr/bin/env python3
"""The calls of the OASIS Python client (taxii2-client 2.3), made one by one against a real gateway.

What that client sends is sent here: its headers, its way to build URLs and queries, its session. What
it demands of an answer is demanded here: it raises where these checks fail. Many members use it, and
more use tools that are built on it.
"""
import datetime
import gzip
import http.client
import json
import socket
import time
from urllib.parse import urlencode, urljoin, urlsplit

from gateway import MEDIA, Instance, done, indicator, ok, same, until

AGENT = "taxii2-client/2.3.0"


class Refused(Exception):
    """The client raises: an HTTP error, a content type, or a resource it does not accept."""


def datetime_text(when):
    """Fractions without zeros at the end, and none at all for a whole second (X-14)."""
    text = when.strftime("%Y-%m-%dT%H:%M:%S")
    return text + ("." + when.strftime("%f").rstrip("0") if when.microsecond else "") + "Z"


def query_of(filters):
    """`next` and `limit` go as they are, all else but added_after becomes a match filter."""
    query = {}
    for name, values in filters.items():
        if not values:
            continue
        if not hasattr(values, "__iter__") or isinstance(values, str):
            values = (values,)
        texts = [datetime_text(v) if isinstance(v, datetime.datetime) else v for v in values]
        if name == "limit":
            query["limit"] = int(texts[0])
        elif name in ("added_after", "next"):
            query[name] = texts[0] if name == "next" else ",".join(texts)
        else:
            query["match[%s]" % name] = ",".join(texts)
    return query


class Session:
    """One kept-alive connection with what its HTTP library adds to each request."""

    def __init__(self, isg, authorization):
        self.isg = isg
        self.headers = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive",
                        "Authorization": authorization}
        self.connection = http.client.HTTPSConnection("127.0.0.1", isg.port, context=isg.tls,
                                                      timeout=60)
        self.last = None

    def send(self, method, url, headers, query=None, data=None):
        parts = urlsplit(url)
        same((parts.scheme, parts.netloc), ("https", "127.0.0.1:%d" % self.isg.port), "where " + url)
        target = parts.path + ("?" + urlencode(query) if query else "")
        words = {"User-Agent": AGENT, "Accept": "*/*", **self.headers, **headers}
        self.connection.request(method, target, data, words)
        self.last = self.connection.getresponse()
        body = self.last.read()
        if self.last.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        if self.last.status >= 400:
            raise Refused("%d %s" % (self.last.status, body[:200]))
        return body

    def get(self, url, query=None, accept=MEDIA):
        body = self.send("GET", url, {"Accept": accept}, query)
        got = self.last.headers["Content-Type"].replace(" ", "").split(";")
        want = accept.replace(" ", "").split(";")
        if got[0] != "application/taxii+json" or not all(word in got for word in want):
            raise Refused("content type %s" % got)
        return json.loads(body)


def check_status(s):
    """It raises when a required property is missing or the counts do not add up (X-26)."""
    for name in ("id", "status", "total_count", "success_count", "failure_count", "pending_count"):
        if s.get(name) is None:
            raise Refused("no %s in a status" % name)
    for name, count in (("successes", "success_count"), ("failures", "failure_count"),
                        ("pendings", "pending_count")):
        if s.get(name) and len(s[name]) != s[count]:
            raise Refused("%s are not %s" % (name, count))
    if s["success_count"] + s["failure_count"] + s["pending_count"] != s["total_count"]:
        raise Refused("the counts do not add up")
    return s


class Collection:
    def __init__(self, session, url, info):
        self.session, self.url, self.info = session, url, info
        for name in ("id", "title", "can_read", "can_write"):
            if info.get(name) is None:
                raise Refused("no %s in a collection" % name)
        if info["id"] not in url:
            raise Refused("the collection's id is not in its URL")

    def read(self, below, **filters):
        return self.session.get(self.url + below, query_of(filters))

    def objects(self, **filters):
        return self.read("objects/", **filters)

    def manifest(self, **filters):
        return self.read("manifest/", **filters)

    def object(self, name, **filters):
        return self.read("objects/%s/" % name, **filters)

    def versions(self, name, **filters):
        return self.read("objects/%s/versions/" % name, **filters)

    def add(self, envelope, wait_s=60):
        data = envelope if isinstance(envelope, bytes) else \
            json.dumps(envelope, ensure_ascii=False).encode("utf-8")
        body = self.session.send("POST", self.url + "objects/",
                                 {"Accept": MEDIA, "Content-Type": MEDIA}, None, data)
        status = check_status(json.loads(body))
        # the status URL is made of the collection's; a slash is added at its end
        url = urljoin(self.url, "../../status/" + status["id"]) + "/"
        until = time.monotonic() + wait_s
        while status["status"] != "complete" and time.monotonic() < until:
            time.sleep(1)
            status = check_status(self.session.get(url))
        return status, url

    def delete(self, name, **filters):
        self.session.send("DELETE", self.url + "objects/%s/" % name, {"Accept": MEDIA},
                          query_of(filters))


def as_pages(call, per_request=0, **filters):
    """Its paging: `limit` falls to the size of the first page, and is left out when that is 0."""
    page = call(limit=per_request, **filters)
    yield page
    got = len(page.get("objects", []))
    if page.get("more", False) and got != per_request:
        per_request = got
    for _ in range(1000):
        if not page.get("more", False):
            return
        page = call(limit=per_request, next=page.get("next", ""), **filters)
        yield page
    raise Refused("the walk does not end")


def ids(pages):
    return [o["id"] for page in pages for o in page.get("objects", [])]


def refused(call, status, text):
    try:
        call()
    except Refused as e:
        return ok(str(e).startswith(status), "%s: %s" % (text, str(e)[:60]))
    return ok(False, text + ": the client noticed nothing")


def discover(session, base):
    """Server, its default ApiRoot, their properties, the list of collections."""
    found = session.get(base + "/taxii2/")
    ok(found.get("title"), "the discovery resource has a title")
    roots = [urljoin(base + "/taxii2/", url) for url in found.get("api_roots", [])]
    ok(found.get("default") in found.get("api_roots", []), "its default is one of its roots")
    url = roots[found["api_roots"].index(found["default"])]
    root = session.get(url)
    ok(root.get("title") and root.get("versions") and root.get("max_content_length") is not None,
       "the root has its three properties")
    listed = session.get(url + "collections/").get("collections", [])
    made = [Collection(session, url + "collections/" + item["id"] + "/", item) for item in listed]
    for c in made:
        same(session.get(c.url), c.info, "refresh of %s gives the same" % c.info["title"])
    return url, {c.info["title"]: c for c in made}


def push_and_read(session, root, c):
    """add_objects with a dict, a text and bytes; get_status; each reading call."""
    made = [indicator(n, "green", name="Pumpe \u00fc \u4e2d %d" % n) for n in range(23)]
    status, url = c.add({"objects": made[:20]})
    same((status["status"], status["success_count"]), ("complete", 20), "20 are added from a dict")
    same(check_status(session.get(url)), status, "the status at the URL it makes")
    same(check_status(session.get(root + "status/" + status["id"] + "/")), status, "and get_status")
    status, _ = c.add(json.dumps({"objects": made[20:]}).encode())
    same(status["success_count"], 3, "three from bytes")
    status, _ = c.add({"objects": made[:2] + [dict(made[2], name="other"), {"type": "indicator"}]})
    same((status["success_count"], status["failure_count"]), (2, 2), "two repeats, two failures")
    want = [m["id"] for m in made]
    for call, what in ((c.objects, "get_objects"), (c.manifest, "get_manifest")):
        for n in (0, 1, 2, 7, 22, 23, 24, 5000):
            same(ids(as_pages(call, n)), want, "as_pages(%s, per_request=%d)" % (what, n))
        same(ids(as_pages(call, 3, type=["indicator", "malware"])), want, what + " by types")
        same(ids(as_pages(call, 3, id=want[3:10])), want[3:10], what + " by ids")
        same(ids([call(type="malware")]), [], what + ": none of a type")
    same({o["id"]: o for o in c.objects()["objects"]}, {m["id"]: m for m in made}, "as they were")
    same(c.object(want[0]), {"objects": [made[0]]}, "get_object")
    same(c.versions(want[0]), {"versions": [made[0]["modified"]]}, "object_versions")
    for word in ("first", "last", "all", made[0]["modified"]):
        same(ids([c.object(want[0], version=word)]), want[:1], "get_object version=" + word)
    same(c.object(want[0], spec_version="2.0"), {}, "get_object of another spec_version")
    refused(lambda: c.object(indicator(999)["id"]), "404", "get_object of an unknown id")
    return made


def by_time(session, c, made):
    """Polling by the date header, with datetimes as the client writes them."""
    want = [m["id"] for m in made]
    dates = [r["date_added"] for r in c.manifest()["objects"]]
    for i in (0, 7, 21):
        when = datetime.datetime.strptime(dates[i], "%Y-%m-%dT%H:%M:%S.%fZ")
        same(ids([c.objects(added_after=when)]), want[i + 1:], "added_after " + datetime_text(when))
    whole = datetime.datetime(2020, 1, 1)
    same(ids(as_pages(c.objects, 4, added_after=whole)), want, "added_after without a fraction")
    c.objects()
    last = session.last.headers["X-TAXII-Date-Added-Last"]
    same(last, dates[-1], "the date header is the last object's")
    same(c.objects(added_after=last), {}, "nothing is later")
    same([session.last.headers["X-TAXII-Date-Added-" + w] for w in ("First", "Last")], [last] * 2,
         "and the headers keep the cursor where it is")
    session.send("GET", c.url + "objects/", {"Accept": MEDIA}, {"limit": 2})
    ok(session.last.headers["Content-Encoding"] in (None, "gzip"), "an encoding it can read")


def walk_with_deletes(c, made):
    """delete_object between two pages: what was there is skipped, nothing else is."""
    want = [m["id"] for m in made]
    got = []
    for n, page in enumerate(as_pages(c.objects, 4)):
        got += ids([page])
        if n == 1:
            for name in (want[0], want[8], want[10]):
                c.delete(name)
    same(got, want[:8] + want[9:10] + want[11:], "a walk with deletes between its pages")
    refused(lambda: c.delete(want[8]), "404", "delete_object of what is gone")
    newer = dict(made[5], modified="2026-02-01T00:00:00.000Z")
    c.add({"objects": [newer]})
    c.delete(want[5], version=newer["modified"])
    same(c.object(want[5]), {"objects": [made[5]]}, "delete_object of one version leaves the other")


def errors(isg, session, base, c, others):
    refused(lambda: session.get(base + "/nowhere/"), "404", "an unknown root")
    refused(lambda: session.get(c.url, accept="application/vnd.oasis.taxii+json; version=2.0"), "406",
            "the client for TAXII 2.0")
    refused(lambda: c.add({"type": "bundle", "id": "bundle--1", "objects": [indicator(1)]}), "422",
            "a bundle in place of an envelope")
    refused(lambda: c.objects(limit=-1), "400", "a limit below 1")
    refused(lambda: others["inbox"].objects(), "403", "reading an inbox")
    refused(lambda: others["board"].add({"objects": [indicator(1)]}), "403", "writing a board")
    same((others["inbox"].info["can_read"], others["board"].info["can_write"]), (False, False),
         "the client would not even ask: the flags say so")
    for text, status, query, headers in (
            ("a URL of 64 KiB", "414", {"match[id]": "a" * 65536}, {}),
            ("a header of 64 KiB", "431", {}, {"X-Long": "a" * 65536})):
        long = Session(isg, session.headers["Authorization"])
        refused(lambda: long.send("GET", base + "/taxii2/", headers, query), status, text)
        same(long.last.headers["Content-Type"], MEDIA, "is refused with an error resource (R-009)")
    wrong = Session(isg, "Basic c3QtbWFyeTp3cm9uZw==")
    refused(lambda: wrong.get(base + "/taxii2/"), "401", "a wrong password")
    ok("Basic" in wrong.last.headers["WWW-Authenticate"], "with a challenge")


def tokens(isg, base):
    """TokenAuth sends a scheme of its own."""
    token = isg.run("member", "token", "st-mary").stdout.strip()
    same(Session(isg, "Token " + token).get(base + "/taxii2/")["title"], "Example ISAO", "TokenAuth")


def requests_logged(isg):
    with open(isg.log) as f:
        whole = [line for line in f if line.endswith("\n")]
    return [json.loads(line) for line in whole if '"http.request"' in line], "".join(whole)


def access_log(isg, c, made):
    """It tells why a client got nothing (X-24), and no value of a filter (R-059)."""
    before = len(requests_logged(isg)[0])
    c.objects(type="malware", added_after="2020-01-01T00:00:00Z")
    c.add({"objects": made[:2]})
    # a line is written when its request is over, which its client may see before
    until(lambda: {"objects", "add"} <= {n["route"] for n in requests_logged(isg)[0][before:]})
    lines, text = requests_logged(isg)
    lines = lines[before:]
    asked = [n for n in lines if n["route"] == "objects" and n["member"] == "st-mary"]
    same((asked[-1].get("filters"), asked[-1].get("objects")), ("added_after,match[type]", 0),
         "the log names the filters and the number of objects")
    same([n.get("objects") for n in lines if n["route"] == "add"][-1], 2, "and those of a push")
    ok(made[3]["id"] not in text and "malware" not in text, "but no value of a filter")


with Instance() as isg:
    hospital = isg.member("st-mary", "hospital")
    isg.member("staff-1", "isao_staff")
    isg.collection("observed")
    isg.collection("inbox", read="staff", write="all", handling="submission")
    isg.collection("board", read="all", write="staff")
    base = "https://127.0.0.1:%d" % isg.port
    session = Session(isg, hospital.headers["Authorization"])
    root, collections = discover(session, base)
    c = collections["observed"]
    made = push_and_read(session, root, c)
    by_time(session, c, made)
    walk_with_deletes(c, made)
    errors(isg, session, base, c, collections)
    tokens(isg, base)
    access_log(isg, c, made)
done()
