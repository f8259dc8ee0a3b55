#!/usr/bin/env python3
"""Feeds and imports as an operator meets them when something is wrong: what is said, and the exit code."""
import http.server
import json
import os
import pty
import subprocess
import threading

from gateway import ISG, Instance, done, ok, same, until


class Source(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        body = KEV if self.path == "/kev.json" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def kev(n):
    return json.dumps({"title": "t", "catalogVersion": "v", "count": n, "vulnerabilities": [
        {"cveID": "CVE-2032-%05d" % i, "dateAdded": "2032-01-01", "vendorProject": "Example", "product": "Pump"}
        for i in range(n)]}).encode()


KEV = kev(3)
CONFIG = """
feeds:
  - name: typo
    url: https://feed.invalid/kev.json
    format: kevv
    collection: advisories
  - name: odd
    url: https://feed.invalid/kev.json
    format: kev
    collection: advisories
    networks: 10.0.0.0/8
peers:
  - name: upstream
    direction: pull
    url: http://127.0.0.1:1/api/
    from: x
    collection: advisories
    allow_private: true
"""


def says(isg, words, code, *texts, **how):
    """A command that fails: its code, and what has to stand in its message."""
    run = isg.run(*words, check=False, **how)
    missing = [t for t in texts if t not in run.stderr]
    ok(run.returncode == code and not missing, "isg %s: %d, %s" % (" ".join(words), run.returncode, run.stderr.strip()))
    return run


def write(isg, name, data):
    path = os.path.join(isg.base, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def check_names(isg):
    says(isg, ("feed", "run", "nosuch", "--dry-run"), 1, "no such feed: nosuch")
    says(isg, ("feed", "remove", "nosuch"), 1, "no such feed: nosuch")
    says(isg, ("feed", "status", "nosuch"), 1, "no such feed: nosuch")
    says(isg, ("peer", "run", "nosuch"), 1, "no such peer: nosuch")
    says(isg, ("webhook", "status", "nosuch"), 1, "no such webhook: nosuch")
    says(isg, ("feed",), 64, "which one?", "status", "remove")
    says(isg, ("feed", "statu"), 64, "no such command: statu")
    says(isg, ("feed", "add", "Big", "--url", "https://feed.invalid/", "--format", "kev", "--collection",
               "advisories"), 65, "lower-case", "/name")


def check_refused(isg):
    """A feed of the configuration that does not hold is shown, with its reason, wherever it is looked for."""
    says(isg, ("check-config",), 78, "typo", "no such format", "/format")
    says(isg, ("feed", "run", "typo"), 65, "no such format", "/format")
    says(isg, ("feed", "run", "odd"), 65, "not what sensors saw", "/networks")
    feeds = {f["name"]: f for f in isg.json("feed", "status")["feeds"]}
    same([feeds[n]["state"] for n in ("typo", "odd")], ["refused", "refused"], "the status has them")
    same(feeds["typo"]["last_error"], "no such format at /format", "with what is wrong")
    isg.replace("format: kevv", "format: kev")
    says(isg, ("check-config",), 78, "odd", "/networks")
    isg.replace("^    networks: 10.0.0.0/8$", "")
    same(isg.run("check-config", check=False).returncode, 0, "and once it is mended the configuration is good")


def check_status(isg, base):
    isg.run("feed", "add", "well", "--url", base + "/kev.json", "--format", "kev", "--collection", "advisories",
            "--interval", "30d", "--allow-private")
    isg.run("feed", "add", "gone", "--url", base + "/gone", "--format", "kev", "--collection", "advisories",
            "--interval", "30d", "--allow-private")
    isg.run("feed", "add", "keyed", "--url", base + "/kev.json", "--format", "kev", "--collection", "advisories",
            "--interval", "30d", "--allow-private", "--header-file", "/nonexistent/key")
    for name in ("well", "gone", "keyed"):
        isg.run_feed(name)
    says(isg, ("feed", "run", "keyed"), 74, "/nonexistent/key", "No such file")
    lines = isg.run("feed", "status").stdout.splitlines()
    rows = {line.split()[0]: line.split() for line in lines}
    same((lines[0].split()[:2], rows["well"][1], rows["gone"][1], rows["gone"][2]),
         (["name", "state"], "ok", "failing", "never"), "a line for each feed")
    ok(any(line.startswith("gone: ") and "404" in line for line in lines), "and below, what is wrong: %s" % lines[-1])
    one = isg.run("feed", "status", "well").stdout
    ok(base in one and "last_success" in one, "one of them in full")
    same(isg.json("feed", "status", "well")["name"], "well", "as JSON too")
    until(lambda: isg.json("peer", "status")["peers"][0].get("last_error"))
    text = isg.run("peer", "status").stdout
    ok("upstream" in text.splitlines()[1] and "upstream: " in text, "peers likewise: %s" % text.strip())
    same(isg.run("webhook", "status").stdout, "no webhooks\n", "that there are none is said")


def check_imports(isg):
    good, bad = write(isg, "good.json", KEV), write(isg, "bad.json", KEV[:70])
    words = ("import", "--format", "kev", "--collection", "advisories")
    says(isg, ("import", "--format", "kev", "--collection", "nowhere", good), 1, "no such collection: nowhere")
    run = says(isg, (*words, bad), 65, "bad.json", "S-001")
    ok("1 of the files refused whole" in run.stdout and "refused %s" % bad in run.stdout, "the report has it as well")
    says(isg, (*words, os.path.join(isg.base, "absent.json")), 74, "absent.json", "No such file")
    says(isg, (*words, "-"), 65, "empty", stdin="")
    with open(os.devnull) as null:
        run = subprocess.run([ISG, *words, "-"], capture_output=True, text=True, env=dict(os.environ, ISG_DIR=isg.dir),
                             stdin=null, preexec_fn=lambda: os.close(0))
    ok(run.returncode == 74 and "Bad file descriptor" in run.stderr, "no standard input: %s" % run.stderr.strip())
    with open("/dev/full", "w") as full:
        run = subprocess.run([ISG, *words, good], stdout=full, stderr=subprocess.PIPE, text=True,
                             env=dict(os.environ, ISG_DIR=isg.dir))
    ok(run.returncode == 74 and "standard output" in run.stderr, "a report that cannot be written: %s" % run.stderr.strip())
    first = isg.run(*words, write(isg, "more.json", kev(9)))
    ok("added" in first.stdout and "refused" in first.stdout and "%" not in first.stderr, "piped: a report, no bar")
    target = write(isg, "a file", b"x")
    says(isg, ("export", "--collection", "advisories", "--format", "misp", "-o", target), 74, "is there and no folder")


def check_terminal(isg):
    """On a terminal a bar is drawn, and cleared before the report."""
    path = write(isg, "long.json", kev(2500))
    here, there = pty.openpty()
    process = subprocess.Popen([ISG, "import", "--format", "kev", "--collection", "advisories", path], stdout=there,
                               stderr=there, stdin=subprocess.DEVNULL, env=dict(os.environ, ISG_DIR=isg.dir))
    os.close(there)
    text = b""
    while True:
        try:
            data = os.read(here, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    os.close(here)
    same(process.wait(300), 0, "an import on a terminal")
    ok(b"%" in text and b"objects" in text.split(b"\r")[1], "with a bar")
    ok(b"\r\x1b[K1 file, 2500 records" in text, "that is gone before the report")


def check_no_service(isg):
    good = os.path.join(isg.base, "good.json")
    isg.stop()
    for words in (("feed", "status"), ("feed", "run", "well", "--dry-run"),
                  ("import", "--format", "kev", "--collection", "advisories", good)):
        says(isg, words, 69, "no service answers", "isg serve -C %s" % isg.dir)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Instance(config=CONFIG) as isg:
        check_names(isg)
        check_refused(isg)
        check_status(isg, "http://127.0.0.1:%d" % server.server_port)
        check_imports(isg)
        check_terminal(isg)
        check_no_service(isg)
    server.shutdown()


main()
done()
