"""Discovery, API roots, collections, login, negotiation, rights."""
import base64
import json
import uuid

from harness import PASSWORD, STIX, TAXII, indicator

GET_PATHS = ("/taxii2/", "/api/", "/api/collections/", "/api/status/%s/" % uuid.uuid4(), "/nowhere/",
             "/", "/api/collections/x/y/z/", "/nowhere/collections/")


def discovery(w):
    b, a = w.book, w.client("hospital-a")
    r = a.get("/taxii2/")
    d = r.json()
    b.equal("T-077", r.status, 200, "discovery is at /taxii2/")
    b.equal("T-078", d.get("title"), 'Test "ISAO"', "it has a title")
    b.equal("T-080", d.get("api_roots"),
            ["https://taxii.example:8443/api/", "https://taxii.example:8443/other/"],
            "roots are absolute https URLs of the public address (X-35)")
    b.ok("T-079", d.get("default") in d["api_roots"], "the default is one of them")
    b.equal("X-01", a.get("/taxii2").body, r.body, "the form without slash answers the same")
    b.equal("T-077", a.get("/api/taxii2/").status, 404, "there is no discovery below a root")
    b.equal("T-030", a.get("/taxii2/?limit=nonsense").status, 200, "filters mean nothing there")
    h = a.ask("HEAD", "/taxii2/")
    b.ok("HEAD", h.status == 200 and h.header("Content-Length") == str(len(r.body)),
         "HEAD tells the length of GET", h.headers)


def roots(w):
    b, a = w.book, w.client("hospital-a")
    r = a.get("/api/")
    b.equal("T-084", {k: type(v).__name__ for k, v in r.json().items()},
            {"title": "str", "description": "str", "versions": "list", "max_content_length": "int"},
            "an API root has its properties")
    b.equal("T-085", r.json()["versions"], [TAXII], "versions holds ours")
    b.equal("T-086", r.json()["max_content_length"], 262144, "max_content_length as configured")
    b.equal("T-083", a.get("/other/").json()["title"], "Another", "a second root is served")
    b.ok("T-008", "description" not in a.get("/other/").json(), "no description: left out")
    b.equal("T-089", a.get("/unknown/").status, 404, "an unknown root is 404")


def login(w):
    b = w.book
    for path in GET_PATHS:
        b.equal("T-073", w.client(None).get(path).status, 401, "no credentials at " + path)
    b.equal("T-073", w.client("hospital-a", password="wrong").get("/taxii2/").status, 401,
            "a wrong password")
    b.equal("T-073", w.client("stranger").get(w.url("open") + "objects/").status, 401,
            "an unknown name")
    b.equal("T-073", w.client(None).ask("POST", w.url("open") + "objects/", b"{}").status, 401,
            "POST without credentials")
    b.equal("T-073", w.client(None).ask("DELETE", w.url("open") + "objects/x/").status, 401,
            "DELETE without credentials")
    b.equal("T-073", w.client(None).get("/taxii2/", Accept="text/html").status, 401,
            "login comes before negotiation")
    b.equal("T-073", w.client(None).ask("PUT", "/taxii2/").status, 401, "and before the method")
    for text in ("", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"no-colon").decode(),
                 "Basic " + base64.b64encode(b"hospital-a:\0").decode(), "Digest x", "Bearer",
                 "Bearer nonsense", "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
                 "Token x", "Basic " + "A" * 9000):
        r = w.client(None, authorization=text).get("/taxii2/")
        b.equal("R-041", r.status, 401, "credentials %r" % text[:24])
    pair = base64.b64encode(("hospital-a:" + PASSWORD).encode()).decode()
    b.equal("T-139", w.client(None, authorization="basic " + pair).get("/taxii2/").status, 200,
            "the scheme's case does not matter")
    token = w.server.tell("token hospital-b")["token"]
    for scheme in ("Bearer ", "Token "):
        b.equal("T-140", w.client(None, authorization=scheme + token).get("/taxii2/").status, 200,
                scheme + "with a member's token")
    b.equal("T-026", w.client("hospital-a").get("/taxii2/", User_Agent=None).status, 200,
            "no User-Agent is no reason to refuse")


def suspension(w):
    b, c = w.book, w.client("hospital-b")
    b.equal("R-054", c.get("/taxii2/").status, 200, "a member is served")
    w.server.tell('member {"name":"hospital-b","suspended":true}')
    b.equal("R-054", c.get("/taxii2/").status, 401, "suspended: the next request is 401")
    w.server.tell('member {"name":"hospital-b","suspended":false}')
    b.equal("R-054", c.get("/taxii2/").status, 200, "and back again")


ACCEPTED = (TAXII, "application/taxii+json", "application/taxii+json; version=2.1",
            "application/taxii+json ; version=2.1", 'application/taxii+json;version="2.1"',
            "Application/TAXII+JSON;Version=2.1", "*/*", "application/*", None,
            "application/json, text/plain, */*", "text/html, application/taxii+json;version=2.1",
            "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
            "application/taxii+json;version=2.1;q=0.3", "text/html;q=0.9, */*;q=0.1",
            TAXII + "," + STIX, TAXII + ";charset=utf-8")
REFUSED = ("text/html", "application/json", "application/taxii+json;version=2.0",
           "application/vnd.oasis.taxii+json;version=2.0", "application/taxii+json;version=9.9",
           "application/taxii+json;version=2.1;q=0", "image/*")


def negotiation(w):
    b, a = w.book, w.client("hospital-a")
    paths = ["/taxii2/", "/api/", w.url("open") + "objects/", w.url("open") + "manifest/"]
    for accept in ACCEPTED:
        got = [a.get(path, Accept=accept).status for path in paths]
        b.equal("T-017", got, [200] * 4, "Accept: %s" % accept)
    for accept in REFUSED:
        got = [a.get(path, Accept=accept).status for path in paths]
        b.equal("T-019", got, [406] * 4, "Accept: %s" % accept)
    b.ok("X-03", b"version=2.1" in a.get("/api/", Accept="text/html").body,
         "406 says what is served")
    b.equal("T-017", a.get(w.url("open") + "manifest/", Accept=STIX).status, 200,
            "the manifest's table names the STIX type")
    for accept in (TAXII + ";q=0, */*", "*/*, application/taxii+json;q=0"):
        b.equal("T-019", a.get(w.url("open") + "manifest/", Accept=accept).status, 406,
                "but stars do not: " + accept)
    b.equal("X-05", a.get("/api/", Content_Type="text/html").status, 200,
            "Content-Type is ignored where there is no body")


def content_types(w):
    b, a = w.book, w.client("hospital-a")
    for kind in (TAXII, "application/taxii+json", "application/taxii+json; version=2.1",
                 'application/taxii+json;version="2.1"', "APPLICATION/taxii+JSON",
                 TAXII + "; charset=utf-8"):
        body = json.dumps({"objects": [indicator(1)]}).encode()
        r = a.ask("POST", w.url("second") + "objects/", body, {"Content-Type": kind})
        b.equal("T-018", r.status, 202, "Content-Type: %s" % kind)
    for kind in ("application/json", "text/plain", "application/taxii+json;version=2.0", "", None,
                 "application/stix+json;version=2.1", "application/vnd.oasis.stix+json"):
        body = json.dumps({"objects": [indicator(1)]}).encode()
        r = a.ask("POST", w.url("second") + "objects/", body, {"Content-Type": kind})
        b.equal("T-122", r.status, 415, "Content-Type: %s" % kind)
    r = a.ask("POST", w.url("second") + "objects/", b"\x1f\x8b", {"Content-Encoding": "gzip"})
    b.equal("T-122", r.status, 415, "an encoded body")


def methods(w):
    b, a = w.book, w.client("hospital-a")
    objects = w.url("open") + "objects/"
    one = objects + indicator()["id"] + "/"
    for method, path, allow in (
            ("POST", "/taxii2/", "GET, HEAD"), ("DELETE", "/api/", "GET, HEAD"),
            ("PUT", objects, "GET, HEAD, POST"), ("DELETE", objects, "GET, HEAD, POST"),
            ("POST", one, "GET, HEAD, DELETE"), ("PATCH", one, "GET, HEAD, DELETE"),
            ("OPTIONS", "/taxii2/", "GET, HEAD"), ("POST", w.url("open"), "GET, HEAD"),
            ("DELETE", one + "versions/", "GET, HEAD"), ("POST", w.url("open") + "manifest/", "GET, HEAD")):
        r = a.ask(method, path)
        b.equal("RFC 9110", (r.status, r.header("Allow")), (405, allow), method + " " + path[:40])
    b.equal("T-067", a.ask("POST", "/unknown/", b"{}").status, 404, "no root, no method")
    for path in ("/api/collections/..%2f..%2fetc/", "//taxii2/", "/api/collections/%zz/",
                 "/api/./collections/", "/api/%2e%2e/taxii2/", "/api/collections/;x=1/"):
        b.ok("R-009", a.get(path).status in (400, 404), "path " + path)


def collections(w):
    b, a = w.book, w.client("hospital-a")
    listed = a.get("/api/collections/").json()["collections"]
    ids = [c["id"] for c in listed]
    b.equal("T-032", ids, sorted(ids), "sorted by id")
    titles = {c["title"]: c for c in listed}
    b.equal("T-074", sorted(titles),
            ["empty", "open", "paging", "readonly", "second", "writeonly"],
            "hidden ones and those of other roots are left out")
    b.ok("T-003", all(uuid.UUID(i).version == 4 for i in ids), "ids are UUIDv4")
    b.equal("T-101", [(titles[t]["can_read"], titles[t]["can_write"])
                      for t in ("open", "readonly", "writeonly")],
            [(True, True), (True, False), (False, True)], "rights are the asking member's")
    b.ok("T-103", all(c["media_types"] == [STIX] for c in listed), "media_types")
    for c in listed:
        b.equal("T-104", a.get("/api/collections/%s/" % c["id"]).json(), c,
                "the single resource agrees: " + c["title"])
    staff = w.client("staff-1").get("/api/collections/").json()["collections"]
    b.ok("T-101", all(c["can_read"] and c["can_write"] for c in staff if c["title"] == "hidden") and
         "hidden" in [c["title"] for c in staff], "staff see the hidden one")
    b.equal("T-099", w.client("nobody").get("/api/collections/").json(), {}, "none: {}")
    alias = a.get("/api/collections/open-alias/")
    b.equal("T-102", alias.json(), titles["open"], "by alias")
    b.equal("T-102", a.get("/api/collections/open-alias/objects/").status, 200, "objects by alias")
    b.equal("T-102", a.get("/other/collections/open-alias/").status, 404, "an alias of another root")
    b.equal("T-105", a.get("/other/collections/%s/" % w.id["open"]).status, 404,
            "an id of another root")
    b.equal("T-105", a.get("/api/collections/open/").status, 404, "a title is no name in URLs")
    b.ok("T-008", "alias" not in titles["paging"] and "description" not in titles["paging"],
         "what a collection has not is left out")


def hidden_is_absent(w):
    """T-068: the answer for a hidden thing is that for an absent one, byte for byte."""
    b, a = w.book, w.client("hospital-a")

    def shape(r):
        return r.status, r.body, [(k, v) for k, v in r.headers if k != "Date"]

    thing = indicator(7)
    w.client("staff-1").push(w.url("hidden"), [thing])
    absent = "/api/collections/%s/" % uuid.uuid4()
    for below in ("", "manifest/", "objects/", "objects/%s/" % thing["id"],
                  "objects/%s/versions/" % thing["id"], "objects/?limit=0"):
        want = shape(a.get(absent + below))
        b.equal("T-068", want[0], 404, "absent: " + below[:20])
        b.equal("T-068", shape(a.get(w.url("hidden") + below)), want, "hidden: " + below[:20])
    b.equal("T-068", shape(a.get("/api/collections/hidden-alias/")), want, "hidden, by alias")
    body = json.dumps({"objects": [thing]}).encode()
    b.equal("T-118", shape(a.ask("POST", w.url("hidden") + "objects/", body)),
            shape(a.ask("POST", absent + "objects/", body)), "hidden: POST")
    b.equal("T-130", shape(a.ask("DELETE", w.url("hidden") + "objects/%s/" % thing["id"])),
            shape(a.ask("DELETE", absent + "objects/%s/" % thing["id"])), "hidden: DELETE")


def rights(w):
    """R-046: every endpoint for every combination of rights."""
    b, a = w.book, w.client("hospital-a")
    thing = indicator(3)
    staff = w.client("staff-1")
    for title in ("open", "readonly", "writeonly", "hidden"):
        staff.push(w.url(title), [thing])
    one = "objects/%s/" % thing["id"]
    want = {"open": (200, 200, 200, 200, 200, 202, 200),
            "readonly": (200, 200, 200, 200, 200, 403, 403),
            "writeonly": (200, 403, 403, 403, 403, 202, 403),
            "hidden": (404, 404, 404, 404, 404, 404, 404)}
    body = json.dumps({"objects": [indicator(4)]}).encode()
    for title, codes in want.items():
        url = w.url(title)
        got = tuple(a.get(url + p).status for p in ("", "manifest/", "objects/", one, one + "versions/"))
        got += (a.ask("POST", url + "objects/", body).status, a.ask("DELETE", url + one).status)
        b.equal("T-106", got, codes, "rights on the collection called " + title)
    b.equal("T-130", staff.get(w.url("readonly") + one).status, 200, "a refused DELETE deletes nothing")


def brute_force(w):
    """R-044: many wrong passwords are slowed down; nobody who knows his is hindered."""
    b = w.book
    guesser = w.client("maker", password="guess")
    got = [guesser.get("/taxii2/") for _ in range(70)]
    slowed = [r for r in got if r.status == 429]
    b.ok("R-044", {r.status for r in got} <= {401, 429} and slowed and got[0].status == 401,
         "70 wrong passwords: 401, then 429", [r.status for r in got])
    b.ok("R-044", all(int(r.header("Retry-After") or 0) > 0 for r in slowed), "with Retry-After")
    for user in ("maker", "hospital-a"):
        b.equal("R-044", w.client(user).get("/taxii2/").status, 200, "right password of " + user)


LAST = (brute_force,)
PARTS = (discovery, roots, login, suspension, negotiation, content_types, methods, collections,
         hidden_is_absent, rights)
