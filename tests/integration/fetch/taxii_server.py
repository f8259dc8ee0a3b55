"""A TAXII server of many characters: each API root misbehaves in its own way.

The client may not: a request that breaks a rule for clients is answered 400, and the test fails.
"""
import http.server
import json
import sys
import threading
import urllib.parse

MEDIA = "application/taxii+json;version=2.1"
C1 = "00000000-0000-4000-8000-0000000000c1"
C2 = "00000000-0000-4000-8000-0000000000c2"
PUSHED = {}  # id: object
STATUS = {}  # id: [polls left, status]
SIZES = []
FIRST = {}  # path: the filters of the walk's first request


def thing(i):
    return {"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-%012d" % i}


def date(i):
    return "2031-01-01T00:00:%02d.000000Z" % i


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # clients that hang up are the point


def breach(request, path, query):
    """The rule that a request breaks, or None."""
    if not path.endswith("/"):
        return "T-011: no slash at the end of the path"
    if not request.headers.get("User-Agent"):
        return "T-025: no User-Agent"
    if MEDIA not in [a.strip() for a in request.headers.get("Accept", "").split(",")]:
        return "T-014, T-015: no TAXII 2.1 in Accept"
    if request.command == "POST" and request.headers.get("Content-Type") != MEDIA:
        return "T-021: Content-Type"
    filters = {k: v for k, v in query.items() if k != "next"}
    if "next" not in query:
        FIRST[path] = filters
    elif FIRST.get(path) != filters:
        return "T-042: another query than the one that gave the token"
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, value, status=200, first=None, last=None, media=MEDIA):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        if first:
            self.send_header("X-TAXII-Date-Added-First", first)
        if last:
            self.send_header("X-TAXII-Date-Added-Last", last)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        parts = [p for p in url.path.split("/") if p]
        wrong = breach(self, url.path, query)
        if wrong:
            return self.answer({"title": wrong}, 400)
        if parts == ["taxii2"]:
            return self.answer({"title": "Many", "default": "https://elsewhere.example/good/",
                                "api_roots": ["/empty/", "https://elsewhere.example/good/"]})
        if not parts:
            return self.answer(b"<html>welcome", 200, media="text/html")
        if parts == ["seen"]:
            return self.answer({"pushed": len(PUSHED), "sizes": SIZES})
        root = parts[0]
        if root in ("good", "push", "empty") and len(parts) == 1:
            return self.answer({"title": root, "versions": [MEDIA],
                                "max_content_length": 2000 if root == "push" else 100000})
        if root == "lost":
            return self.answer({"title": "gone"}, 404)
        if root == "login":
            return self.answer({"title": "who"}, 401)
        if len(parts) == 1:
            return self.answer({"title": root, "versions": [MEDIA], "max_content_length": 100000})
        if parts[1] == "status":
            return self.status(parts[2])
        if len(parts) == 2:
            both = [{"id": C1, "alias": "one", "title": "First", "can_read": True, "can_write": root == "push"},
                    {"id": C2, "title": "Twin", "can_read": False, "can_write": False},
                    {"id": C2[:-1] + "3", "title": "Twin", "can_read": True, "can_write": False}]
            return self.answer({} if root == "empty" else {"collections": both})
        if len(parts) == 3:
            return self.answer({"id": C1, "title": "First", "can_read": True, "can_write": root == "push"})
        getattr(self, "objects_" + root)(query)

    def status(self, name):
        entry = STATUS.get(name)
        if entry is None:
            return self.answer({"title": "no status"}, 404)
        if entry[0] == 0:
            return self.answer({"title": "T-097: asked again after complete"}, 400)
        entry[0] -= 1
        self.answer(dict(entry[1], status="pending" if entry[0] > 0 else "complete"))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wrong = breach(self, self.path, {})
        if wrong is None and set(json.loads(body)) != {"objects"}:
            wrong = "T-120: no envelope"
        if wrong:
            return self.answer({"title": wrong}, 400)
        SIZES.append(len(body))
        if len(body) > 1500:
            return self.answer({"title": "too large after all"}, 413)
        objects = json.loads(body)["objects"]
        bad = [o for o in objects if o.get("name") == "bad"]
        for o in objects:
            PUSHED[o["id"]] = o
        name = "00000000-0000-4000-8000-%012d" % (len(STATUS) + 1)
        status = {"id": name, "total_count": len(objects), "success_count": len(objects) - len(bad),
                  "failure_count": len(bad), "pending_count": 0}
        if bad:
            status["failures"] = [{"id": o["id"], "version": "x", "message": "refused here"} for o in bad]
        STATUS[name] = [2, status]
        self.answer(dict(status, status="pending"), 202)

    # ---- pages -------------------------------------------------------------------------------

    def after(self, query):
        """Objects 1..9 after added_after."""
        return [i for i in range(1, 10) if date(i) > query.get("added_after", "")]

    def page(self, ids, more, **extra):
        envelope = dict(extra)
        if ids:
            envelope["objects"] = [thing(i) for i in ids]
        if more:
            envelope["more"] = True
        self.answer(envelope, first=date(ids[0]) if ids else None, last=date(ids[-1]) if ids else None)

    def objects_good(self, query):
        ids = self.after(query)
        start = int(query.get("next", "t0+/=&")[1:].split("+")[0])
        ids = ids[start:]
        self.page(ids[:4], len(ids) > 4, **({"next": "t%d+/=&" % (start + 4)} if len(ids) > 4 else {}))

    def objects_nonext(self, query):  # T-059
        ids = self.after(query)
        self.page(ids[:4], len(ids) > 4)

    def objects_forever(self, query):  # more for ever, the same next
        self.page([1, 2], True, next="again")

    def objects_stuck(self, query):  # more without next, the date does not move
        self.page([1, 2], True)

    def objects_circle(self, query):  # three pages, and the first again
        n = {"": 1, "b": 2, "c": 3, "a": 1}[query.get("next", "")]
        self.page([n], True, next="_bca"[n])

    def objects_creep(self, query):  # the same page, but the date moves on
        self.answer({"more": True, "objects": [thing(1), thing(2)]},
                    last="2031-01-01T00:00:00.%06dZ" % (int(query.get("added_after", ".0Z")[:-1].split(".")[1]) + 1))

    def objects_renewed(self, query):  # the same page, but another token each time
        self.page([1, 2], True, next="n%d" % (int(query.get("next", "n0")[1:]) + 1))

    def objects_nodate(self, query):
        self.answer({"more": True, "objects": [thing(1)]})

    def objects_hollow(self, query):  # pages without objects, another token each
        self.page([], True, next="n%s" % query.get("next", "")[:50])

    def objects_gap(self, query):  # T-060: one empty page is legal
        n = query.get("next")
        if n is None:
            self.page([1], True, next="a")
        elif n == "a":
            self.page([], True, next="b")
        else:
            self.page([2], False)

    def objects_forgot(self, query):  # the token is refused, the date works
        if "next" in query:
            return self.answer({"title": "bad next"}, 400)
        ids = self.after(query)
        self.page(ids[:4], len(ids) > 4, **({"next": "x"} if len(ids) > 4 else {}))

    def objects_none(self, query):
        self.answer({})

    def objects_odd(self, query):
        self.answer({"objects": [thing(1)]}, last="undefined")

    def objects_html(self, query):
        self.answer(b"<html>login", media="text/html")

    def objects_cut(self, query):
        self.answer(json.dumps({"objects": [thing(1), thing(2)]}).encode()[:-20])

    def objects_late(self, query):  # the second page fails
        if "next" in query:
            return self.answer({"title": "broken"}, 500)
        self.page([1, 2], True, next="p2")


def server():
    s = Server(("127.0.0.1", 0), Handler)
    s.daemon_threads = True
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


MAIN = server()
OTHER = server()
print(MAIN.server_address[1], OTHER.server_address[1], sep="\n", flush=True)
sys.stdin.read()
