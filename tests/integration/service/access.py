#!/usr/bin/env python3
"""Who gets in, with what, and what those see who do not: logins, rotation, throttle, rates, rights."""
import base64
import http.client
import json
import os
import re
import socket
import threading
import time
from urllib.parse import quote

from gateway import MEDIA, Instance, done, indicator, ok, same, until

ROOTS = """roots:
  - path: api
    title: Members
  - path: partners
    title: Partners
    description: For other organisations
"""


def basic(text):
    return "Basic " + base64.b64encode(text).decode()


def shape(answer):
    """What an error says, without what differs each time."""
    return answer.status, re.sub(rb'"error_id":"[0-9a-f]*"', b"", answer.body), \
        answer.headers["WWW-Authenticate"], answer.headers["Content-Type"]


def secret_file(isg, text):
    path = os.path.join(isg.base, "new.pw")
    with open(path, "w") as f:
        f.write(text)
    return path


def status_of(client, path="/taxii2/"):
    return client.get(path).status


# ---- credentials ----

def rotation(isg):
    old = isg.member("rota", "hospital")
    same(status_of(old), 200, "the first password")
    isg.run("member", "set", "rota", "--password-file", secret_file(isg, "second secret"),
            "--keep-old", "24h")
    fresh = isg.client("rota", "second secret")
    same((status_of(old), status_of(fresh)), (200, 200), "two passwords while a rotation lasts")
    ok("old_password_until" in isg.json("member", "show", "rota"), "and it is shown until when")
    isg.run("member", "set", "rota", "--password-file", secret_file(isg, "third secret"),
            "--keep-old", "24h")
    same((status_of(old), status_of(fresh)), (401, 200), "a second rotation keeps one, not two")
    third, fourth = (isg.client("rota", n + " secret") for n in ("third", "fourth"))
    same(status_of(third), 200, "and the new one")
    isg.run("member", "set", "rota", "--password-file", secret_file(isg, "fourth secret"),
            "--keep-old", "2s")
    ok(until(lambda: status_of(third) == 401), "the overlap ends by itself")
    same(status_of(fourth), 200, "for the old one alone")
    isg.run("member", "set", "rota", "--password-file", secret_file(isg, "fifth secret"))
    same(status_of(fourth), 401, "without --keep-old it ends at once")
    same(isg.run("member", "set", "rota", "--keep-old", "1h", check=False).returncode, 64,
         "--keep-old alone is no wish")
    same(isg.run("member", "set", "rota", "--password-file", secret_file(isg, "sixth secret"),
                 "--keep-old", "soon", check=False).returncode, 64, "a time is a time")


def tokens(isg):
    isg.member("toko", "mdm")
    made = isg.json("member", "token", "toko", "--label", "siem", "--expires", "30d")
    other = isg.json("member", "token", "toko", "--label", "old", "--expires", "1s")
    one, two = isg.client(token=made["token"]), isg.client(token=other["token"])
    word = isg.client()
    word.headers["Authorization"] = "Token " + made["token"]
    same((status_of(one), status_of(word)), (200, 200), "Bearer, and Token as taxii2-client says it")
    ok(until(lambda: status_of(two) == 401), "a token ends when it said")
    listed = isg.json("member", "show", "toko")["tokens"]
    same([(t["id"], t["label"]) for t in listed],
         [(made["id"], "siem"), (other["id"], "old")], "tokens are listed by id and label")
    ok(made["token"] not in json.dumps(listed), "never with the token itself")
    ok("siem" in isg.run("member", "token", "toko", "--list").stdout, "token --list")
    same(isg.json("member", "token", "toko", "--revoke", made["id"])["revoked"], 1, "revoked by id")
    same((status_of(one), status_of(word)), (401, 401), "and gone at once, on an open connection")
    for body, path in (({"expires": "30d"}, "/expires"), ({"label": "x", "expires_in": 1}, "/expires_in"),
                       ({"expires_s": "30d"}, "/expires_s"), ({"label": 7}, "/label")):
        answer = admin(isg, "POST", "/admin/v1/members/toko/token", body)
        same((int(answer["http_status"]), answer["details"]["path"]), (422, path),
             "a token is not made by a request that is not understood: " + answer.get("description", ""))
    for path, body in (("members", {"name": "x", "kind": "mdm"}), ("collections", {"title": "x"}),
                       ("feeds", {"name": "x", "url": "https://a.example/", "format": "kev", "collection": "both"}),
                       ("peers/run", {"direction": "pull", "url": "https://127.0.0.1:1/", "from": "x",
                                      "collection": "both", "allow_private": True})):
        answer = admin(isg, "POST", "/admin/v1/" + path, dict(body, nonsense=1))
        ok(int(answer["http_status"]) == 422 and "nonsense" in json.dumps(answer),
           "nor anything else: %s" % json.dumps(answer))
    same(isg.run("member", "token", "toko", "--revoke", "siem", check=False).returncode, 1,
         "there is none of that label any more")
    # In the middle of paging, R-054.
    walker = isg.client(token=isg.json("member", "token", "toko", "--label", "walk")["token"])
    page = walker.get("/api/collections/both/objects/?limit=1").json
    isg.run("member", "token", "toko", "--revoke", "walk")
    same(walker.get("/api/collections/both/objects/?limit=1&next=" + quote(page["next"])).status,
         401, "R-054: a key that was taken away ends a walk")


def admin(isg, method, path, body):
    """The answer of the admin socket."""
    text = json.dumps(body)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(os.path.join(isg.dir, "admin.sock"))
        s.sendall(("%s %s HTTP/1.1\r\nHost: isg\r\nConnection: close\r\nContent-Type: application/json\r\n"
                   "Content-Length: %d\r\n\r\n%s" % (method, path, len(text), text)).encode())
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def malformed(isg):
    """R-041: one shape for all that is no login."""
    bare = isg.client()
    want = shape(bare.get("/api/"))
    ok(want[0] == 401 and "Basic" in want[2] and "Bearer" in want[2] and want[3] == MEDIA,
       "T-072: 401 with challenges")
    rows = [("empty", ""), ("a scheme alone", "Basic"), ("blanks", "Basic   "),
            ("no base64", "Basic %%%"), ("no colon", basic(b"both")), ("a NUL", basic(b"bo\0th:x")),
            ("a NUL behind", basic(b"both:x\0")), ("no UTF-8", basic(b"both:\xff\xfe")),
            ("UTF-16", basic("both:secret".encode("utf-16"))), ("digest", 'Digest username="both"'),
            ("an id as token", "Bearer 9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
            ("an empty token", "Bearer "), ("4 KiB", "Basic " + "A" * 4096),
            ("12 KiB", "Bearer " + "A" * 12000), ("a quote", 'Bearer "x"')]
    for name, value in rows:
        same(shape(bare.get("/api/", Authorization=value)), want, "R-041: Authorization, " + name)
    login = basic(b"both:secret of both")
    two = "GET /api/ HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nAuthorization: %s\r\n" \
        "Connection: close\r\n\r\n" % (login, login)
    answer = raw(isg, two.encode())
    ok(b" 401 " in answer.split(b"\r\n")[0] and b"WWW-Authenticate" in answer,
       "R-041: two Authorization lines, even two that are right")
    big = "GET /api/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\n\r\n" % ("A" * 102400)
    first = raw(isg, big.encode()).split(b"\r\n")[0]
    ok(b" 431 " in first, "R-041: 100 KiB are too large for any header: %s" % first.decode())
    same(status_of(isg.client("both", "secret of both")), 200, "and all goes on")


def raw(isg, data):
    with isg.tls.wrap_socket(socket.create_connection(("127.0.0.1", isg.port), timeout=10),
                             server_hostname="127.0.0.1") as peer:
        text = b""
        peer.settimeout(60)
        try:
            peer.sendall(data)
            while True:
                piece = peer.recv(65536)
                if not piece:
                    break
                text += piece
        except OSError:
            pass
        return text


# ---- throttle and rates ----

def stranger(isg, client):
    """The client at an address of its own, with which nobody else has tried anything."""
    client.close()
    client.connection = http.client.HTTPSConnection(
        "127.0.0.1", isg.port, context=isg.tls, timeout=60, source_address=("127.0.0.9", 0))
    return client


def throttle(isg):
    """R-044: over every method and endpoint, 429 with a time; others and the right one untouched."""
    target, other = (isg.client(name, "secret of " + name) for name in ("target", "other"))
    same((status_of(target), status_of(other)), (200, 200), "two members")
    wrong = stranger(isg, isg.client("target", "guess"))
    keys = stranger(isg, isg.client(token="isg_guess"))
    rows = [("GET", "/taxii2/"), ("GET", "/api/"), ("POST", "/api/collections/both/objects/"),
            ("DELETE", "/api/collections/both/objects/indicator--x/"), ("PUT", "/nowhere/")]
    seen = []
    for i in range(64):
        method, path = rows[i % len(rows)]
        asker = wrong if i % 16 == 0 else keys
        seen.append(asker.request(method, path, {} if method == "POST" else None))
    limited = [a for a in seen if a.status == 429]
    ok({a.status for a in seen} == {401, 429} and len(limited) == 14 and
       all(1 <= int(a.headers["Retry-After"]) <= 61 for a in limited),
       "R-044: wrong passwords and keys become 429 with Retry-After (%d of 64)" % len(limited))
    same((status_of(target), status_of(other)), (200, 200), "R-044: right ones pass, remembered")
    fresh = stranger(isg, isg.client("target", "secret of target"))
    same(status_of(fresh), 200, "R-044: the right password passes on a new connection")
    time.sleep(1.2)
    isg.stop()
    isg.start()
    same(status_of(stranger(isg, wrong)), 429, "R-044: a restart does not forget")
    same(status_of(stranger(isg, isg.client("target", "secret of target"))), 200,
         "R-044: nor lock the right password out")


def rates(isg):
    fast = isg.member("fast", "mdm")
    slow = isg.member("slow", "mdm", requests_per_minute="5")
    answers = [slow.get("/api/") for _ in range(8)]
    same([a.status for a in answers], [200] * 5 + [429] * 3, "a member's requests a minute")
    ok(all(1 <= int(a.headers["Retry-After"]) <= 13 and a.json["http_status"] == "429"
           for a in answers[5:]), "429 says when to come again")
    same([status_of(fast) for _ in range(20)], [200] * 20, "another member has no limit")
    isg.run("member", "set", "slow", "--requests-per-minute", "default")
    same([status_of(slow) for _ in range(9)], [200] * 9, "as configured: none")
    ok("requests_per_minute" not in isg.json("member", "show", "slow"), "and none is shown")


# ---- rights ----

def fastest_ms(client, paths, n=60):
    """The best time of each path, asked in turns: what else the machine does adds to all of them."""
    times = {path: [] for path in paths}
    for _ in range(n):
        for path in paths:
            begun = time.perf_counter()
            client.get(path)
            times[path].append((time.perf_counter() - begun) * 1000)
    return [min(times[path]) for path in paths]


def matrix(isg):
    """R-046: eight endpoints, six kinds of right; hidden and absent are one."""
    member = isg.member("reader", "researcher")
    rights = {"hidden": ("none", "none"), "read": ("reader", "none"), "write": ("none", "reader"),
              "full": ("reader", "reader"), "others": ("other", "other")}
    ids = {name: isg.collection("m-" + name, *pair) for name, pair in rights.items()}
    ids["absent"] = "5d3f8c2e-77aa-4d6b-9c1e-0a2b3c4d5e6f"
    thing = indicator(1)["id"]
    body = {"objects": [indicator(1)]}
    endpoints = [("GET", "", None), ("GET", "objects/", None), ("POST", "objects/", body),
                 ("GET", "manifest/", None), ("GET", "objects/%s/" % thing, None),
                 ("GET", "objects/%s/versions/" % thing, None),
                 ("DELETE", "objects/%s/" % thing, None), ("GET", "objects/?match[id]=" + thing, None)]
    want = {"hidden": [404] * 8, "others": [404] * 8, "absent": [404] * 8,
            "read": [200, 200, 403, 200, 404, 404, 403, 200],
            "write": [200, 403, 202, 403, 403, 403, 403, 403],
            "full": [200, 200, 202, 200, 200, 200, 200, 200]}
    shapes = {}
    for name, uuid in ids.items():
        got = []
        for method, rest, sent in endpoints:
            answer = member.request(method, "/api/collections/%s/%s" % (uuid, rest), sent)
            got.append(answer.status)
            shapes.setdefault((method, rest), {})[name] = shape(answer)
        same(got, want[name], "R-046: collection %s" % name)
    for endpoint, by_name in shapes.items():
        ok(by_name["hidden"] == by_name["absent"] == by_name["others"],
           "R-046, T-068: hidden and absent say the same: %s %s" % endpoint)
    answer = isg.client("both", "secret of both").push(ids["absent"], [])
    push = isg.client("target", "secret of target").push("both", [indicator(77)])
    status = "/api/status/%s/" % push.json["id"]
    same((member.get(status).status, shape(member.get(status))),
         (404, shape(member.get("/api/status/%s/" % ids["absent"]))),
         "R-046: another's status is as absent")
    same(answer.status, 404, "for who may do much, too")
    near, far = fastest_ms(member, ["/api/collections/%s/objects/" % ids[name]
                                    for name in ("hidden", "absent")])
    ok(near < 2.5 * far + 1 and far < 2.5 * near + 1,
       "R-046: in the same time (%.2f ms, %.2f ms)" % (near, far))
    isg.run("member", "suspend", "reader")
    same({member.request(m, "/api/collections/%s/%s" % (ids["full"], r), s).status
          for m, r, s in endpoints}, {401}, "a suspended member is nobody, at once")
    isg.run("member", "resume", "reader")
    same(status_of(member, "/api/collections/%s/" % ids["full"]), 200, "and back")


def other_doors(isg):
    """R-056: nothing of the admin listener is here, whatever the path is spelt like."""
    member = isg.client("both", "secret of both")
    nobody = isg.client()
    absent = shape(member.get("/nowhere/"))
    for path in ["/healthz", "/readyz", "/metrics", "/admin/v1/members", "/admin/v1/status",
                 "/admin/", "//admin/v1/members", "/./admin/v1/members", "/api/../admin/v1/members",
                 "/admin;x=1/v1/members", "/ADMIN/v1/members", "/admin/v1/members?x=/taxii2/",
                 "/.git/config", "/isg.yaml", "/server-status", "/debug/pprof/"]:
        same(shape(member.get(path)), absent, "R-056: %s is not here" % path)
        same(nobody.get(path).status, 401, "and less for nobody")


def apart(isg):
    """R-048, R-050: one URL, two members, each its own objects; tokens belong to who got them."""
    owner, other = (isg.client(name, "secret of " + name) for name in ("target", "other"))
    here, there = isg.collection("apart"), isg.collection("beside")
    hidden = [indicator(n, "red") for n in range(500, 520)]
    shown = [indicator(n, "green") for n in range(520, 540)]
    owner.push(here, hidden + shown)
    owner.push(there, shown)
    want = {"target": {o["id"] for o in hidden + shown}, "other": {o["id"] for o in shown}}
    path, wrong = "/api/collections/%s/objects/?limit=100" % here, []

    def ask(name, n=150):
        client = isg.client(name, "secret of " + name)
        for _ in range(n):
            answer = client.get(path)
            ids = {o["id"] for o in answer.json["objects"]}
            if ids != want[name] or "private" not in answer.headers["Cache-Control"] or \
                    "Authorization" not in answer.headers["Vary"]:
                wrong.append((name, len(ids)))
    crowd = [threading.Thread(target=ask, args=(name,)) for name in want for _ in range(2)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    same(wrong, [], "R-050: no page of one member for another in 600 answers")
    mark = owner.get(path).headers["ETag"]
    same((owner.get(path, **{"If-None-Match": mark}).status,
          other.get(path, **{"If-None-Match": mark}).status), (304, 200),
         "R-050: nor is one's ETag another's")
    token = owner.get("/api/collections/%s/objects/?limit=5" % here).json["next"]
    again = "?limit=5&next=" + quote(token)
    rows = [("its own", owner, here, "objects/", 200), ("another member", other, here, "objects/", 400),
            ("another collection", owner, there, "objects/", 400),
            ("another endpoint", owner, here, "manifest/", 400),
            ("other filters", owner, here, "objects/" + again + "&match[type]=indicator", 400)]
    for name, client, collection, rest, status in rows:
        rest += again if "?" not in rest else ""
        same(client.get("/api/collections/%s/%s" % (collection, rest)).status, status,
             "R-048: a `next` on %s" % name)
    for query in ("match[id]=" + hidden[0]["id"], "added_after=2000-01-01T00:00:00Z&match[id]=" +
                  ",".join(o["id"] for o in hidden)):
        same(other.get("/api/collections/%s/objects/?%s" % (here, query)).json, {},
             "R-048: no filter reaches what is hidden")


def roots(isg):
    member = isg.client("both", "secret of both")
    base = "https://127.0.0.1:%d" % isg.port
    same({k: member.get("/taxii2/").json[k] for k in ("default", "api_roots")},
         {"default": base + "/api/", "api_roots": [base + "/api/", base + "/partners/"]},
         "X-35, T-079: absolute roots, and a default that is one of them")
    isg.run("collection", "add", "--title", "Twin", "--alias", "twin", "--handling", "relay",
            "--root", "partners", "--read", "all", "--write", "all")
    isg.run("collection", "add", "--title", "Twin", "--alias", "twin", "--handling", "relay",
            "--read", "all", "--write", "all")
    lists = {root: member.get("/%s/collections/" % root).json["collections"]
             for root in ("api", "partners")}
    same([c["title"] for c in lists["partners"]], ["Twin"], "each root has its own collections")
    ids = {root: [c["id"] for c in lists[root] if c.get("alias") == "twin"][0] for root in lists}
    ok(ids["api"] != ids["partners"], "one alias in two roots is two collections")
    pushed = member.request("POST", "/partners/collections/twin/objects/",
                            {"objects": [indicator(5)]}).json
    same([len(member.get("/%s/collections/twin/objects/" % root).json.get("objects", []))
          for root in ("partners", "api")], [1, 0], "what goes into one is not in the other")
    same([member.get("/%s/collections/%s/" % (root, ids["partners"])).status
          for root in ("partners", "api")], [200, 404], "an id belongs to its root")
    same(member.get("/partners/status/%s/" % pushed["id"]).status, 200, "a status is in its root")
    same(member.get("/partners/").json["title"], "Partners", "the root's own title")
    same(isg.run("collection", "add", "--title", "x", "--handling", "relay", "--root", "none",
                 check=False).returncode, 65, "a root that is not configured")


def main():
    isg = Instance()
    path = os.path.join(isg.dir, "isg.yaml")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(re.sub(r"roots:\n(  .*\n)+", ROOTS, text))
    with isg:
        isg.collection("both")
        isg.member("both", "hospital").push("both", [indicator(n) for n in range(100, 104)])
        isg.member("target", "hospital")
        isg.member("other", "hospital")
        matrix(isg)
        apart(isg)
        rotation(isg)
        tokens(isg)
        malformed(isg)
        throttle(isg)
        rates(isg)
        other_doors(isg)
        roots(isg)
    done()


main()
