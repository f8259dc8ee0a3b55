#!/usr/bin/env python3
"""Where CSAF providers keep their metadata, of which only the domain is given (CSAF 2.0, 7.3.1). The names
are looked up by a proxy, which leads all of them to one server; it goes by the name it was asked for."""
import hashlib
import http.server
import json
import os

from gateway import SOURCE, Instance, done, ok, same
from misbehaving import Authority, Server, Tunnel, tls

WELL_KNOWN = "/.well-known/csaf/provider-metadata.json"
PAGES, ASKED = {}, []


class Provider(http.server.BaseHTTPRequestHandler):
    """PAGES by host and path; a number is a status. Notes who was asked for what, and with which key."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        host = self.headers["Host"]
        ASKED.append((host, self.path, self.headers.get("X-Api-Key")))
        page = PAGES.get((host, self.path), 404)
        status, body = (page, b"") if isinstance(page, int) else (200, page)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def advisory(number):
    with open(os.path.join(SOURCE, "tests/fixtures/feeds/csaf/products.json")) as f:
        doc = json.load(f)
    doc["document"]["tracking"]["id"] = "EMSA-2031-%03d" % number
    doc["document"]["distribution"] = {"tlp": {"label": "WHITE"}}
    return json.dumps(doc).encode()


def folder(host, path, *numbers):
    """A directory with advisories."""
    for number in numbers:
        body = advisory(number)
        PAGES[host, "%s%d.json" % (path, number)] = body
        PAGES[host, "%s%d.json.sha512" % (path, number)] = hashlib.sha512(body).hexdigest().encode()
    PAGES[host, path + "index.txt"] = b"".join(b"%d.json\n" % n for n in numbers)


def metadata(*folders):
    return json.dumps({"canonical_url": "https://p.example/", "metadata_version": "2.0", "role": "csaf_provider",
                       "distributions": [{"directory_url": f} for f in folders]}).encode()


class Bed:
    def __init__(self, isg):
        self.isg, self.n = isg, 0
        self.authority = Authority(isg.base, "ours")
        names = "".join(",DNS:*.%s.invalid,DNS:%s.invalid,DNS:csaf.data.security.%s.invalid" % (n, n, n)
                        for n in "abcdefgh")
        server = Server(tls(*self.authority.issue("provider", names=names)), Provider)
        hosts = [prefix + n + ".invalid" for n in "abcdefg" for prefix in ("", "www.", "csaf.data.security.")]
        hosts += ["h.invalid"]
        self.proxy = Tunnel({host + ":443": server.server_port for host in hosts})
        self.key = os.path.join(isg.base, "key")
        with open(self.key, "w") as f:
            f.write("X-Api-Key: canary\n")
        os.chmod(self.key, 0o600)

    def run(self, url, *words):
        """A new feed's run, and what was asked for in it. Its run by schedule comes first or not at all."""
        self.n += 1
        name = "feed-%d" % self.n
        self.isg.run("feed", "add", name, "--url", url, "--format", "csaf", "--collection", "advisories",
                     "--interval", "30d", "--ca", self.authority.ca, "--proxy", self.proxy.url, *words)
        run = self.isg.run_feed(name, "--json")
        return run, [a[:2] for a in ASKED if a[0].endswith(url.split("/")[2].removeprefix("www."))]

    def numbers(self):
        return sorted(o["external_references"][0]["external_id"][-3:] for o in
                      self.reader.pull("advisories", limit=1000, query="match[type]=report")[0])


def check_both(bed):
    """Well-known and security.txt are both looked at, and each metadata is read once."""
    PAGES["a.invalid", WELL_KNOWN] = metadata("https://a.invalid/one/")
    PAGES["a.invalid", "/.well-known/security.txt"] = (
        b"Contact: mailto:x@a.invalid\r\nCSAF: https://a.invalid" + WELL_KNOWN.encode() +
        b"\r\ncsaf: https://a.invalid/more.json\r\nCSAF: https://a.invalid/gone.json\r\nCSAF: https://z.invalid/x\r\n")
    PAGES["a.invalid", "/more.json"] = metadata("https://a.invalid/one/", "https://a.invalid/two/")
    PAGES["csaf.data.security.a.invalid", "/"] = metadata("https://a.invalid/three/")
    for path, number in (("/one/", 1), ("/two/", 2), ("/three/", 3)):
        folder("a.invalid", path, number)
    run, asked = bed.run("https://a.invalid")
    same(bed.numbers(), ["001", "002"], "the well-known URL and what security.txt names besides: " + run.stderr)
    first = asked[:asked.index(("a.invalid", "/.well-known/security.txt"))]
    same(first[0], ("a.invalid", WELL_KNOWN), "the well-known URL first, then security.txt")
    ok("csaf.data.security.a.invalid" not in [a[0] for a in asked], "the DNS path is not needed")
    same(json.loads(run.stdout)["failed_documents"], 2, "lines that lead nowhere are counted")
    status = next(f for f in bed.isg.json("feed", "status")["feeds"] if f["url"] == "https://a.invalid")
    same(status["state"], "ok", "and cost only themselves")
    one_run = ASKED.count(("a.invalid", WELL_KNOWN, None))
    same(ASKED.count(("a.invalid", "/one/index.txt", None)), one_run, "what both name is read once a run")


def check_security_txt(bed):
    PAGES["b.invalid", WELL_KNOWN] = b"<!doctype html><p>Not found, but with status 200"
    PAGES["b.invalid", "/security.txt"] = b"CSAF: /csaf/metadata.json\n"
    PAGES["b.invalid", "/csaf/metadata.json"] = metadata("https://b.invalid/csaf/")
    folder("b.invalid", "/csaf/", 11)
    run, _ = bed.run("https://b.invalid/")
    ok("011" in bed.numbers(), "security.txt alone, where it stood of old: " + run.stderr)
    PAGES["b.invalid", WELL_KNOWN] = metadata("https://b.invalid/known/")
    PAGES["b.invalid", "/.well-known/security.txt"] = 500
    folder("b.invalid", "/known/", 12)
    run, _ = bed.run("https://b.invalid/")
    ok("012" in bed.numbers(), "one that fails costs itself, where the well-known URL says enough: " + run.stderr)
    same((run.returncode, json.loads(run.stdout)["failed_documents"]), (0, 1), "and is counted")


def check_dns_path(bed):
    host = "csaf.data.security.c.invalid"
    PAGES[host, "/"] = metadata("https://%s/advisories/" % host, "https://www.c.invalid/more/", "https://a.invalid/three/")
    folder(host, "/advisories/", 21)
    folder("www.c.invalid", "/more/", 22)
    run, asked = bed.run("https://www.c.invalid", "--header-file", bed.key)
    ok({"021", "022"} <= set(bed.numbers()), "the DNS path of the domain, www. or not: " + run.stderr)
    steps = [("www.c.invalid", WELL_KNOWN), ("www.c.invalid", "/.well-known/security.txt"), (host, "/")]
    same(sorted(asked.index(s) for s in steps), [asked.index(s) for s in steps], "after the other two")
    keys = {a[0]: set() for a in ASKED if "c.invalid" in a[0]}
    for name, _, key in ASKED:
        if name in keys:
            keys[name].add(key)
    same(keys, {"www.c.invalid": {"canary"}, host: {None}}, "which gets no key of the feed's")
    ok("003" not in bed.numbers() and "another server" in run.stdout, "and leads to no third server: " + run.stdout.strip())


def check_nothing(bed):
    run, _ = bed.run("https://d.invalid")
    ok(run.returncode == 1 and all(w in run.stderr for w in ("provider-metadata.json", "security.txt",
       "csaf.data.security.d.invalid", "7.3.1")), "nothing anywhere: " + run.stderr.strip())
    PAGES["d.invalid", "/.well-known/security.txt"] = b"CSAF: https://d.invalid" + WELL_KNOWN.encode() + b"\n"
    run, _ = bed.run("https://d.invalid/")
    ok(run.returncode == 1 and "7.3.1" in run.stderr, "nor is what security.txt names again: " + run.stderr.strip())
    run, _ = bed.run("https://h.invalid")
    ok(run.returncode == 1 and "csaf.data.security.h.invalid" in run.stderr,
       "a name of the DNS path that is not there: " + run.stderr.strip())
    PAGES["e.invalid", WELL_KNOWN] = b'{"distributions": []}'
    run, _ = bed.run("https://e.invalid")
    ok(run.returncode == 65 and "/distributions" in run.stderr, "metadata without use is told: " + run.stderr.strip())
    folder("e.invalid", "/", 41)
    run, _ = bed.run("https://e.invalid/")
    ok("041" in bed.numbers(), "a directory on the host itself comes last: " + run.stderr)
    PAGES["f.invalid", WELL_KNOWN] = 500
    folder("f.invalid", "/", 51)
    run, _ = bed.run("https://f.invalid")
    ok(run.returncode == 69 and "051" not in bed.numbers(), "a provider that fails is asked later: " + run.stderr.strip())


def check_endless(bed):
    """A provider that names lists without end is not followed (R-084)."""
    PAGES["g.invalid", "/.well-known/security.txt"] = b"".join(b"CSAF: https://g.invalid/%d\n" % n for n in range(2000))
    run, asked = bed.run("https://g.invalid")
    ok(run.returncode == 65 and "R-084" in run.stderr, "security.txt without end: " + run.stderr.strip())
    ok(len(set(asked)) < 150, "%d things were asked for" % len(set(asked)))


def main():
    isg = Instance()
    bed = Bed(isg)
    with isg:
        bed.reader = isg.member("reader", "mdm")
        check_both(bed)
        check_security_txt(bed)
        check_dns_path(bed)
        check_nothing(bed)
        check_endless(bed)


main()
done()
