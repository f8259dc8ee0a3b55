"""What the checks stand on: the server under test, clients, objects, and the book of results.

Only the standard library. Every answer that a client gets passes `Book.watch`, which holds the rules
that are true of all answers, so that each request of every check tests them once more.
"""
import base64
import glob
import gzip
import hashlib
import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid

TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
EPOCH = "1970-01-01T00:00:00.000000Z"
PASSWORD = "correct horse battery"


class Book:
    """Counts checks and prints them as TAP; a check names the rule it is about."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        self.universal = {}

    def ok(self, rule, condition, text, detail=""):
        self.count += 1
        if not condition:
            self.failed += 1
        print("%s %d - %s %s" % ("ok" if condition else "not ok", self.count, rule, text))
        if not condition and detail != "":
            print("# " + str(detail)[:600])
        sys.stdout.flush()
        return bool(condition)

    def equal(self, rule, got, want, text):
        return self.ok(rule, got == want, text, "got %r, want %r" % (got, want))

    def hold(self, rule, condition, what):
        """One look at a rule of all answers; printed once at the end."""
        seen = self.universal.setdefault(rule, [0, []])
        seen[0] += 1
        if not condition:
            seen[1].append(what)

    def watch(self, r):
        what = "%s %s -> %d" % (r.method, r.target, r.status)
        self.hold("T-013", r.header("Content-Type") == TAXII, what + " " + str(r.header("Content-Type")))
        self.hold("X-28", r.status != 206 and r.status < 500 or r.status == 503, what)
        kept = r.header("Cache-Control") or ""
        self.hold("R-050", "private" in kept and ("no-cache" in kept or "no-store" in kept), what + kept)
        vary = r.header("Vary")
        self.hold("R-050", vary == "Accept, Accept-Encoding, Authorization", what + str(vary))
        paged = re.search(r"/(manifest|objects|objects/[^/]+|objects/[^/]+/versions)/?(\?|$)", r.target)
        dates = [r.header("X-TAXII-Date-Added-" + end) for end in ("First", "Last")]
        if paged and r.method in ("GET", "HEAD") and r.status == 200:
            self.hold("T-027", all(d and STAMP.match(d) for d in dates), what + " " + str(dates))
            self.hold("T-028", dates[0] is not None and dates[0] <= (dates[1] or ""), what + str(dates))
        if not paged:
            self.hold("T-030", dates == [None, None], what + " " + str(dates))
        if r.method == "HEAD" or r.status == 304:
            self.hold("HEAD", r.body == b"", what)
            return
        if r.status >= 400:
            err = r.json()
            self.hold("T-065", isinstance(err, dict) and bool(err.get("title")), what)
            self.hold("T-066", isinstance(err, dict) and err.get("http_status") == str(r.status), what)
        if r.status == 401:
            challenge = r.header("WWW-Authenticate") or ""
            self.hold("T-072", "basic realm=" in challenge.lower(), what + " " + challenge)
        if r.status == 200 and paged and r.method == "GET":
            self.hold("T-069", set(r.json()) <= {"more", "next", "objects", "versions"}, what)
            self.hold("T-005", not any(v == [] for v in r.json().values()), what)
            self.hold("X-09", ("next" in r.json()) == (r.json().get("more") is True), what)

    def finish(self):
        for rule, (seen, bad) in sorted(self.universal.items()):
            self.ok(rule, not bad, "holds for all of %d answers" % seen, bad[:5])
        print("1..%d" % self.count)
        print("# %d passed, %d failed" % (self.count - self.failed, self.failed))
        return 1 if self.failed else 0


class Answer:
    def __init__(self, method, target, response, body):
        self.method = method
        self.target = target
        self.status = response.status
        self.headers = response.getheaders()
        self.body = body

    def header(self, name):
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return values[0] if len(values) == 1 else (None if not values else "TWICE " + repr(values))

    def json(self):
        try:
            coded = self.header("Content-Encoding") == "gzip"
            return json.loads(gzip.decompress(self.body) if coded else self.body)
        except ValueError:
            return None

    def objects(self):
        return (self.json() or {}).get("objects", [])

    def ids(self):
        return [o["id"] for o in self.objects()]


class Client:
    """One member on one kept-alive connection."""

    def __init__(self, book, port, user, password=PASSWORD, authorization=None):
        self.book = book
        self.port = port
        self.connection = None
        self.authorization = authorization
        if authorization is None and user is not None:
            pair = ("%s:%s" % (user, password)).encode()
            self.authorization = "Basic " + base64.b64encode(pair).decode()

    def ask(self, method, target, body=None, headers=None, watch=True, chunked=False):
        send = {"Accept": TAXII}
        if self.authorization is not None:
            send["Authorization"] = self.authorization
        if body is not None:
            send["Content-Type"] = TAXII
        send.update(headers or {})
        send = {k: v for k, v in send.items() if v is not None}
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
                self.connection.request(method, target, body, send, encode_chunked=chunked)
                response = self.connection.getresponse()
                answer = Answer(method, target, response, response.read())
                break
            except (http.client.HTTPException, ConnectionError):
                self.connection = None
                if attempt == 2:
                    raise
        if watch:
            self.book.watch(answer)
        return answer

    def get(self, target, **headers):
        return self.ask("GET", target, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def push(self, collection, objects, **more):
        body = dict({"objects": objects}, **more)
        return self.ask("POST", collection + "objects/", json.dumps(body).encode())

    def walk(self, target, limit=None, token=None, bound=200):
        """All pages by `next`, as taxii2-client's as_pages does: a first page that is shorter than
        asked becomes the limit of the others."""
        join = "&" if "?" in target else "?"
        pages = []
        while len(pages) < bound:
            query = [] if limit is None else ["limit=%d" % limit]
            query += [] if token is None else ["next=" + token]
            page = self.get(target + (join + "&".join(query) if query else ""))
            pages.append(page)
            if page.status != 200 or not page.json().get("more"):
                return pages
            token = page.json()["next"]
            got = len(page.json().get("objects", page.json().get("versions", [])))
            if len(pages) == 1 and got != limit:
                limit = got or None
        return pages

    def walk_by_date(self, target, limit, bound=400):
        """All pages by added_after alone (T-059)."""
        join = "&" if "?" in target else "?"
        pages = [self.get(target + join + "limit=%d" % limit)]
        while pages[-1].json().get("more") and len(pages) < bound:
            last = pages[-1].header("X-TAXII-Date-Added-Last")
            pages.append(self.get(target + join + "limit=%d&added_after=%s" % (limit, last)))
        return pages


class Server:
    def __init__(self, program, folder):
        self.process = subprocess.Popen([program, folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the server did not start")
        self.port = json.loads(line)["port"]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer.startswith("error") or not answer:
            raise RuntimeError("%s -> %s" % (line, answer))
        return json.loads(answer)

    def metric(self, series):
        """The value of one series, `name` or `name{label="value"}`; 0 when it is not there yet."""
        for line in self.tell("metrics")["text"].split("\n"):
            if line.startswith(series + " "):
                return int(line.split()[-1])
        return 0

    def redis_pid(self):
        """The private redis-server is a child of one of the server's threads."""
        for path in glob.glob("/proc/%d/task/*/children" % self.process.pid):
            for child in open(path).read().split():
                return int(child)
        return None

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(timeout=120)


class World:
    """A server with members and collections as most checks want them."""

    MEMBERS = {"hospital-a": "hospital", "hospital-b": "hospital", "maker": "mdm",
               "staff-1": "isao_staff", "nobody": "researcher"}
    NOT_NOBODY = ["hospital-a", "hospital-b", "maker", "staff"]
    COLLECTIONS = {
        "open": ("api", "open-alias", NOT_NOBODY, NOT_NOBODY),
        "paging": ("api", None, NOT_NOBODY, NOT_NOBODY),
        "second": ("api", None, NOT_NOBODY, NOT_NOBODY),
        "readonly": ("api", None, NOT_NOBODY, ["staff"]),
        "writeonly": ("api", None, ["staff"], NOT_NOBODY),
        "hidden": ("api", "hidden-alias", ["staff"], ["staff"]),
        "empty": ("api", None, NOT_NOBODY, NOT_NOBODY),
        "elsewhere": ("other", None, NOT_NOBODY, NOT_NOBODY),
    }

    def __init__(self, program):
        if shutil.which("redis-server") is None:
            print("1..0 # SKIP no redis-server")
            sys.exit(77)
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="isg-taxii-")
        self.book = Book()
        self.server = Server(program, self.folder)
        self.id = {}
        for name, kind in self.MEMBERS.items():
            self.server.tell("member " + json.dumps({"name": name, "kind": kind, "title": name,
                                                     "password": PASSWORD}))
        for title, (root, alias, read, write) in self.COLLECTIONS.items():
            self.id[title] = self.make_collection(title, root, alias, read, write)

    def make_collection(self, title, root, alias, read, write):
        wanted = {"id": str(uuid.uuid4()), "root": root, "title": title, "handling": "relay",
                  "read": read, "write": write}
        if alias is not None:
            wanted["alias"] = alias
            wanted["description"] = "The collection called " + title
        self.server.tell("collection " + json.dumps(wanted))
        return wanted["id"]

    def url(self, title):
        return "/%s/collections/%s/" % (self.COLLECTIONS[title][0], self.id[title])

    def client(self, user, **more):
        return Client(self.book, self.server.port, user, **more)

    def restart(self):
        code = self.server.stop()
        self.server = Server(self.program, self.folder)
        return code

    def redis(self, *words):
        """One command to the private redis-server; an integer or the reply's first line."""
        path = glob.glob(self.folder + "/**/redis.sock", recursive=True)[0]
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b"*%d\r\n" % len(words) +
                      b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            line = s.recv(4096).split(b"\r\n")[0].decode()
        return int(line[1:]) if line.startswith(":") else line

    def close(self):
        code = self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code


# ---- objects ------------------------------------------------------------------------------------

SCO_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
TLP = {"red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
       "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
       "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"}


def indicator(n=0, modified="2026-01-02T03:04:05.000Z", tlp=None, **more):
    made = {"type": "indicator", "spec_version": "2.1", "id": "indicator--" + str(uuid.uuid4()),
            "created": "2026-01-01T00:00:00.000Z", "modified": modified, "name": "beacon %d" % n,
            "indicator_types": ["malicious-activity"],
            "pattern": "[ipv4-addr:value = '192.0.2.%d']" % (n % 250),
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}
    if tlp is not None:
        made["object_marking_refs"] = [TLP[tlp]]
    made.update(more)
    return made


def malware(n=0, **more):
    made = {"type": "malware", "spec_version": "2.1", "id": "malware--" + str(uuid.uuid4()),
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T03:04:05.000Z",
            "name": "pump worm %d" % n, "is_family": False}
    made.update(more)
    return made


def relationship(source, target=None, tlp=None):
    made = indicator(tlp=tlp)
    for name in ("name", "indicator_types", "pattern", "pattern_type", "valid_from"):
        del made[name]
    made.update(type="relationship", id="relationship--" + str(uuid.uuid4()), source_ref=source,
                target_ref=target or source, relationship_type="related-to")
    return made


def address(value):
    name = json.dumps({"value": value}, separators=(",", ":"))
    digest = hashlib.sha1(SCO_NAMESPACE.bytes + name.encode()).digest()
    return {"type": "ipv4-addr", "spec_version": "2.1", "value": value,
            "id": "ipv4-addr--" + str(uuid.UUID(bytes=digest[:16], version=5))}


def statement(text):
    return {"type": "marking-definition", "spec_version": "2.1",
            "id": "marking-definition--" + str(uuid.uuid4()), "created": "2026-01-01T00:00:00.000Z",
            "definition_type": "statement", "definition": {"statement": text}}
