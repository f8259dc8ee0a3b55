#!/usr/bin/env python3
"""Feeds and peers as the operator runs them: against a source that misbehaves, and another gateway."""
import http.server
import json
import os
import threading

from gateway import Instance, done, indicator, ok, same

BUNDLE = json.dumps({"type": "bundle", "id": "bundle--2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11",
                     "objects": [indicator(i, "clear") for i in range(5)]}).encode()

TABLE = b"Hash;Note\n" + b"ab" * 32 + b";pump\n" + b"cd" * 32 + b";\n"
OWN = {"clinic.json": {"name": "clinic", "delimiter": ";", "confidence": 70,
                       "columns": {"value": "Hash", "tags": "Note"}},
       "known.json": {"name": "Known", "type": "string", "list": ["cd" * 32]}}


class Source(http.server.BaseHTTPRequestHandler):
    """Does what `mode` says; remembers the validator it was asked with."""
    mode, etag, asked = "ok", '"v1"', []

    def log_message(self, *_):
        pass

    def redirect(self, target):
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def do_GET(self):
        Source.asked.append(self.headers.get("If-None-Match"))
        if self.path == "/own.csv":
            self.send_response(200)
            self.send_header("Content-Length", str(len(TABLE)))
            self.end_headers()
            self.wfile.write(TABLE)
        elif Source.mode == "redirect" and self.path == "/feed.json":
            self.redirect("/elsewhere.json")
        elif Source.mode == "to a file":
            self.redirect("file:///etc/passwd")
        elif Source.mode == "loop":
            self.redirect("/feed.json")
        elif Source.mode == "gone":
            self.send_error(404)
        elif self.headers.get("If-None-Match") == Source.etag and Source.mode == "ok":
            self.send_response(304)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("ETag", Source.etag)
            self.send_header("Content-Length", str(len(BUNDLE)))
            self.end_headers()
            self.wfile.write(BUNDLE[:len(BUNDLE) // 2] if Source.mode == "cut" else BUNDLE)
            self.close_connection = True


def own_table(isg, url):
    """A feed of a table with its own columns, and with a warning list."""
    for name, text in OWN.items():
        with open(os.path.join(isg.dir, name), "w") as f:
            json.dump(text, f)
    words = ("--url", url, "--collection", "advisories", "--allow-private", "--columns",
             os.path.join(isg.dir, "clinic.json"))
    isg.run("feed", "add", "own", "--format", "csv", "--warning-lists",
            os.path.join(isg.dir, "known.json"), *words)
    facts = isg.json("feed", "run", "own")
    ok(facts["refused"] == 0 and facts["added"] >= 2, "own columns: %s" % facts)
    same(isg.json("feed", "run", "own")["added"], 0, "and again: nothing is new")
    target = os.path.join(isg.base, "own.csv")
    facts = json.loads(isg.run("export", "--collection", "advisories", "--format", "csv", "-o", target,
                               "--json").stdout)
    same((facts["rows"], facts["dropped"]), (1, {"warned": 1}), "one of them is on the warning list")
    with open(target) as f:
        ok("clinic:pump" in f.read(), "with its label")
    result = isg.run("feed", "add", "wrong", "--format", "kev", *words, check=False)
    ok(result.returncode == 65 and "kev is no table" in result.stderr, "columns are of tables")
    isg.run("feed", "remove", "own")


def events(isg, title):
    return {c["title"]: c["events"] for c in isg.json("status")["collections"]}[title]


def feeds(isg):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d/feed.json" % server.server_port
    Source.mode = "cut"
    isg.run("feed", "add", "one", "--url", url, "--format", "stix", "--collection", "indicators",
            "--interval", "1h", "--allow-private")
    rows = [("cut", 69, "remaining"), ("to a file", 69, "R-079"), ("loop", 69, "redirects"),
            ("gone", 1, "404")]
    for mode, code, words in rows:
        Source.mode = mode
        result = isg.run_feed("one")
        ok(result.returncode == code and words in result.stderr,
           "%s: the operator is told why: %s" % (mode, result.stderr.strip()))
        same(events(isg, "indicators"), 0, "and nothing is stored")
    Source.mode = "redirect"
    same(isg.json("feed", "run", "one", "--dry-run")["total"], 5, "a dry run reads it")
    same(events(isg, "indicators"), 0, "and stores nothing")
    same(isg.json("feed", "run", "one")["added"], 5, "a redirect is followed")
    Source.mode = "ok"
    same(isg.json("feed", "run", "one")["state"], "unchanged", "304: unchanged")
    same(Source.asked[-1], '"v1"', "asked with the validator")
    own_table(isg, url.replace("feed.json", "own.csv"))
    status = isg.json("feed", "status")["feeds"][0]
    same((status["name"], status["failures"]), ("one", 0), "status")
    refusals = [
        (("add", "two", "--url", "file:///etc/passwd", "--format", "stix", "--collection",
          "indicators"), 65, "https"),
        (("add", "two", "--url", url, "--format", "nonsense", "--collection", "indicators"), 65,
         "format"),
        (("add", "two", "--url", url, "--format", "stix", "--collection", "nowhere"), 1, "collection"),
        (("add", "two", "--url", url, "--format", "stix", "--collection", "indicators",
          "--interval", "soon"), 65, "interval"),
        (("run", "two"), 1, "no such feed"), (("remove", "two"), 1, "no such feed"),
    ]
    for words, code, text in refusals:
        result = isg.run("feed", *words, check=False)
        ok(result.returncode == code and text in result.stderr, "feed %s: %d, %s" % (
            words[0], code, result.stderr.strip()))
    isg.run("feed", "remove", "one")
    same(isg.json("feed", "list")["feeds"], [], "removed")
    server.shutdown()


def peers(there, here):
    there.member("second", "peer_isao")
    there.collection("inbox", write="second")
    words = {"url": "https://127.0.0.1:%d/api/" % there.port, "user": "second",
             "password-file": os.path.join(there.base, "second.pw"),
             "ca": os.path.join(there.dir, "tls/ca.pem"), "from": "indicators",
             "collection": "indicators"}
    wrong = os.path.join(here.base, "wrong.pw")
    with open(wrong, "w") as f:
        f.write("another password\n")

    def peer(direction, *more, **changed):
        merged = dict(words, **{key.replace("_", "-"): value for key, value in changed.items()})
        options = [w for key, value in merged.items() if value for w in ("--" + key, value)]
        return here.run("peer", direction, "--allow-private", "--json", *options, *more, check=False)

    rows = [
        ("the wrong password", {"password_file": wrong}, 77, "401"),
        ("no password file", {"password_file": "absent.pw"}, 74, "absent.pw"),
        ("no collection there", {"from": "nowhere"}, 1, "collection"),
        ("no collection here", {"collection": "nowhere"}, 1, "collection"),
        ("an authority not known", {"ca": None}, 69, "certificate"),
        ("nobody there", {"url": "https://127.0.0.1:1/api/"}, 69, "connect"),
        ("no web address", {"url": "ftp://peer.example/"}, 65, "https"),
    ]
    for name, changed, code, text in rows:
        result = peer("pull", **changed)
        ok(result.returncode == code and text in result.stderr,
           "%s: %d, %s" % (name, code, result.stderr.strip()))
    same(json.loads(peer("pull", "--dry-run").stdout)["total"], 5, "a dry run of a pull counts")
    same(events(here, "indicators"), 0, "and stores nothing")
    same(json.loads(peer("pull").stdout)["added"], 5, "pull")
    same(json.loads(peer("pull").stdout)["added"], 0, "pull again: nothing is new")
    same(events(here, "indicators"), 5, "all are here once")
    same(json.loads(peer("push", "--dry-run", collection="inbox").stdout)["total"], 5, "dry push")
    same(events(there, "inbox"), 0, "stores nothing there")
    same(json.loads(peer("push", collection="inbox").stdout)["added"], 5, "push")
    same(events(there, "inbox"), 5, "all are there")
    same(json.loads(peer("push", collection="inbox").stdout)["added"], 0, "push again: nothing is new")
    same(peer("push", collection="advisories").returncode, 77, "no right to write there")


with Instance("First") as first, Instance("Second") as second:
    feeds(first)
    bundle = os.path.join(first.base, "bundle.json")
    with open(bundle, "wb") as f:
        f.write(BUNDLE)
    same(first.json("import", "--format", "stix", "--collection", "indicators", bundle)["same"], 5,
         "the feed's objects are those of the file")
    peers(first, second)
    for isg in (first, second):
        with open(isg.log) as log:
            ok("secret of" not in log.read(), "no secret in the log")
done()
