#!/usr/bin/env python3
"""CSAF providers on loopback: a directory, a ROLIE feed, provider-metadata.json; what may go wrong there."""
import hashlib
import http.server
import json
import os
import ssl
import threading

from gateway import SOURCE, Instance, done, ok, same

PAGES, ASKED = {}, []
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


class Provider(http.server.BaseHTTPRequestHandler):
    """Serves PAGES with ETags, while it is open."""
    open = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        if not Provider.open:
            return self.send_error(404)
        ASKED.append(self.path)
        body = PAGES.get(self.path)
        if isinstance(body, int):
            return self.send_error(body)
        etag = '"%s"' % hashlib.sha256(body or b"").hexdigest()[:16]
        same_as_known = body is not None and self.headers.get("If-None-Match") == etag
        self.send_response(404 if body is None else 304 if same_as_known else 200)
        self.send_header("ETag", etag)
        body = b"" if body is None or same_as_known else body
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def advisory(number, label="WHITE", version=1, **more):
    with open(os.path.join(SOURCE, "tests/fixtures/feeds/csaf/products.json")) as f:
        doc = json.load(f)
    tracking = doc["document"]["tracking"]
    tracking["id"] = "EMSA-2031-%03d" % number
    tracking["version"] = str(version)
    tracking["current_release_date"] = "2031-05-%02dT10:00:00.000Z" % version
    doc["document"].pop("distribution")
    if label:
        doc["document"]["distribution"] = {"tlp": {"label": label}}
    doc["vulnerabilities"][0].update(more)
    return json.dumps(doc).encode()


def put(path, body, hash_name="sha512", spoil=False):
    PAGES[path] = body
    if hash_name:
        digest = hashlib.new(hash_name, body + (b"x" if spoil else b"")).hexdigest()
        PAGES["%s.%s" % (path, hash_name)] = ("%s  %s\n" % (digest, path.rsplit("/", 1)[1])).encode()


def rolie(base, *entries):
    """entries: (url, updated)."""
    return json.dumps({"feed": {"id": "f", "title": "t", "updated": "2031-05-01T10:00:00.000Z", "entry": [
        {"id": url, "title": "t", "published": "2031-05-01T10:00:00.000Z", "updated": updated,
         "content": {"type": "application/json", "src": url},
         "link": [{"rel": "self", "href": url}, {"rel": "hash", "href": url + ".sha512"}]}
        for url, updated in entries]}}).encode()


def metadata(*distributions):
    return json.dumps({"canonical_url": "https://p.example/", "metadata_version": "2.0", "role": "csaf_provider",
                       "distributions": list(distributions)}).encode()


def feed(isg, name, url, *options):
    """A new feed, and its first run. The one by its schedule finds the provider closed, or is not due
    any more when it has been run by command, in vain: so the numbers are those of one run."""
    Provider.open = False
    isg.run("feed", "add", name, "--url", url, "--format", "csaf", "--collection", "advisories",
            "--interval", "30d", "--allow-private", *options)
    ok(isg.run_feed(name).returncode != 0, name + ": a provider that is closed")
    Provider.open = True
    return isg.json("feed", "run", name)


def reports(maker):
    objects, _ = maker.pull("advisories", limit=1000, query="match[type]=report")
    return {o["external_references"][0]["external_id"]: o for o in objects}


def directory(isg, maker, base):
    put("/dir/2031/one.json", advisory(1))
    put("/dir/2031/two.json", advisory(2), "sha256")
    put("/dir/2031/bad.json", advisory(3), "sha256", spoil=True)
    PAGES["/dir/index.txt"] = b"2031/one.json\n2031/two.json\n2031/bad.json\n../up.json\n"
    first = feed(isg, "dir", base + "/dir/")
    same((first["documents"], first.get("failed_documents", 0)), (2, 2), "index.txt: two read, two refused")
    ok("/up.json" in first["first_failure"], "the first refused is named: %s" % first["first_failure"])
    same(sorted(reports(maker)), ["EMSA-2031-001", "EMSA-2031-002"], "their reports")
    ok("/up.json" not in ASKED and "/dir/../up.json" not in ASKED, "nothing above the directory was asked for")
    put("/dir/2031/bad.json", advisory(3), "sha256")
    second = isg.json("feed", "run", "dir")
    same((second["documents"], second.get("failed_documents", 0)), (1, 1), "read once its hash file is right")
    same(isg.json("feed", "run", "dir")["state"], "unchanged", "then the list is unchanged")


def odd_servers(isg, base):
    """Byte order marks; servers that have no hash file and say so in their own way."""
    mark = b"\xef\xbb\xbf"
    put("/marked/81.json", mark + advisory(81))
    PAGES["/marked/changes.csv"] = mark + b'"81.json","2031-05-01T10:00:00Z"\r\n'
    PAGES["/marked.json"] = mark + metadata({"directory_url": base + "/marked/"})
    run = feed(isg, "marked", base + "/marked.json")
    same((run["documents"], run.get("failed_documents", 0)), (1, 0), "a byte order mark in front of each file")
    for number, answer in ((82, 403), (83, b"<!doctype html><p>There is no such file")):
        put("/odd/%d.json" % number, advisory(number), None)
        PAGES["/odd/%d.json.sha512" % number] = PAGES["/odd/%d.json.sha256" % number] = answer
    PAGES["/odd/index.txt"] = b"82.json\n83.json\n"
    run = feed(isg, "odd", base + "/odd/")
    same((run["documents"], run.get("failed_documents", 0)), (2, 0), "403 or a page: there is no hash file")
    put("/odd/84.json", advisory(84))
    PAGES["/odd/feed.json"] = rolie(base, (base + "/odd/82.json", "1"), (base + "/odd/84.json", "1"))
    run = feed(isg, "named", base + "/odd/feed.json")
    same((run["documents"], run.get("failed_documents", 0)), (1, 1), "where the list names one, it must be there")


def rolie_feed(isg, maker, base):
    urls = [base + "/rolie/%d.json" % n for n in (11, 12, 13)]
    for n in (11, 12):
        put("/rolie/%d.json" % n, advisory(n), spoil=n == 12)
    PAGES["/rolie/13.json"] = advisory(13)
    foreign = "https://elsewhere.example/14.json"
    PAGES["/rolie/feed.json"] = rolie(base, *[(u, "not a date, a text") for u in urls], (foreign, "x"))
    first = feed(isg, "rolie", base + "/rolie/feed.json")
    same((first["documents"], first.get("failed_documents", 0)), (1, 3), "ROLIE: one read, three refused")
    ok("elsewhere.example" in first["first_failure"] and "another server" in first["first_failure"],
       "the first refused is named: %s" % first["first_failure"])
    ok("EMSA-2031-011" in reports(maker) and "EMSA-2031-012" not in reports(maker),
       "another hash refuses that document alone")
    put("/rolie/12.json", advisory(12))
    put("/rolie/13.json", advisory(13))
    same(isg.json("feed", "run", "rolie")["documents"], 2, "a hash that was wrong, and one that was missing")
    PAGES["/rolie/feed.json"] = rolie(base, (urls[0], "2031-06-01T00:00:00Z"), (urls[1], "2031-06-01T00:00:00Z"))
    again = isg.json("feed", "run", "rolie")
    same((again["documents"], again.get("added", 0)), (0, 0), "published again with other dates: nothing new")
    other = feed(isg, "other", base.replace("127.0.0.1", "localhost") + "/rolie/feed.json", "--allow-hosts",
                 "a.example, 127.0.0.1", "--allow-networks", "127.0.0.0/8")
    same((other["documents"], other.get("failed_documents", 0), other["added"]), (2, 0, 0),
         "a host of allow_hosts may be named; its documents are known")


def provider(isg, maker, base):
    put("/w/21.json", advisory(21))
    put("/a/22.json", advisory(22))
    PAGES["/w/feed.json"] = rolie(base, (base + "/w/21.json", "1"), (base + "/a/22.json", "1"))
    PAGES["/a/feed.json"] = rolie(base, (base + "/a/22.json", "1"))
    feeds = [{"url": base + "/w/feed.json", "tlp_label": "WHITE"}, {"url": base + "/a/feed.json", "tlp_label": "AMBER"},
             {"url": base + "/r/feed.json", "tlp_label": "RED"}]
    PAGES["/.well-known/csaf/provider-metadata.json"] = metadata({"rolie": {"feeds": feeds}})
    first = feed(isg, "host", base)
    same((first["documents"], first.get("failed_documents", 0)), (2, 1), "a host alone: its feeds; one is not there")
    same(ASKED.count("/a/22.json"), 1, "what two feeds list is asked for once")
    objects, _ = isg_staff(isg).pull("advisories", limit=1000, query="match[type]=report")
    marks = {o["external_references"][0]["external_id"]: o["object_marking_refs"] for o in objects}
    same(marks["EMSA-2031-022"], [AMBER], "the stricter label counts: AMBER")
    before = len(ASKED)
    same(isg.json("feed", "run", "host").get("failed_documents", 0), 1, "again")
    same([p for p in ASKED[before:] if p[1:2].isdigit() or "/2" in p], [], "no advisory is asked for again")
    PAGES["/.well-known/csaf/provider-metadata.json"] = metadata({"directory_url": base + "/dir2"})
    put("/dir2/31.json", advisory(31))
    PAGES["/dir2/changes.csv"] = b'"31.json","2031-05-01T10:00:00Z"\n'
    same(isg.json("feed", "run", "host")["documents"], 1, "metadata that names a directory")
    del PAGES["/.well-known/csaf/provider-metadata.json"]
    PAGES["/.well-known/security.txt"] = ("Contact: x\nCSAF: %s/pmd.json\n" % base).encode()
    put("/dir3/32.json", advisory(32))
    PAGES["/pmd.json"] = metadata({"directory_url": base + "/dir3/"})
    PAGES["/dir3/changes.csv"] = b"32.json,2031-05-01T10:00:00Z\n"
    same(isg.json("feed", "run", "host")["documents"], 1, "metadata where security.txt says")
    PAGES["/empty.json"] = metadata()
    result = isg.run("feed", "add", "empty", "--url", base + "/empty.json", "--format", "csaf", "--collection",
                     "advisories", "--allow-private")
    result = isg.run_feed("empty")
    ok(result.returncode == 65 and "/distributions" in result.stderr, "no distribution: %s" % result.stderr.strip())


def isg_staff(isg):
    return isg.member("desk", "isao_staff")


def one_document(isg, maker, base):
    put("/single.json", advisory(41), spoil=True)
    isg.run("feed", "add", "single", "--url", base + "/single.json", "--format", "csaf", "--collection", "advisories",
            "--allow-private")
    result = isg.run_feed("single")
    ok(result.returncode == 65 and "E_HASH" in result.stderr, "one advisory, wrong hash: %s" % result.stderr.strip())
    put("/single.json", advisory(41))
    same(isg.json("feed", "run", "single")["documents"], 1, "and with the right one")
    same(isg.json("feed", "run", "single")["state"], "unchanged", "then unchanged")


def files(isg):
    """A hash file beside an advisory counts for import and convert too."""
    path = os.path.join(isg.base, "hashed.json")
    with open(path, "wb") as f:
        f.write(advisory(71))
    for name, text, code in (("sha512", "0" * 128, 65), ("sha512", None, 0), ("sha256", "not a hash", 65)):
        with open(path, "rb") as f, open("%s.%s" % (path, name), "w") as side:
            side.write("%s  hashed.json\n" % (text or hashlib.sha512(f.read()).hexdigest()))
        for words in (("convert",), ("import", "--dry-run", "--collection", "advisories")):
            result = isg.run(*words, "--format", "csaf", path, check=False)
            same((result.returncode, "E_HASH" in result.stdout + result.stderr), (code, code != 0),
                 "%s with a %s file of %.9s" % (words[0], name, text))
        os.remove("%s.%s" % (path, name))


def versions(isg, maker):
    """An advisory that changes its mind, through `isg import`; and an older form of it that comes late."""
    path = os.path.join(isg.base, "advisory.json")

    def take(number, version, **status):
        with open(path, "wb") as f:
            f.write(advisory(number, version=version, product_status=status))
        return isg.json("import", "--format", "csaf", "--collection", "mind", path)["added"]

    def statement(kind):
        objects, _ = maker.pull("mind", limit=1000, query="match[type]=relationship")
        return [o for o in objects if o["relationship_type"] == kind]

    isg.collection("mind")
    ok(take(61, 1, known_affected=["P-1"]) > 0, "version 1: a device has it")
    has = statement("has")
    same([("stop_time" in o, o["modified"]) for o in has], [(False, "2031-05-01T10:00:00.000Z")], "one statement")
    take(61, 2, known_not_affected=["P-1"])
    ended = statement("has")
    same([(o["id"], o.get("stop_time")) for o in ended], [(has[0]["id"], "2031-05-02T10:00:00.000Z")],
         "version 2 no longer says so: the statement has ended")
    same([o["extensions"].popitem()[1]["status"] for o in statement("related-to")], ["known_not_affected"],
         "and another is made")
    same(take(61, 1, known_affected=["P-1"]), 0, "version 1 that comes late changes nothing")
    same(take(61, 2, known_not_affected=["P-1"]), 0, "nor does version 2 again")
    take(62, 1, known_affected=["P-1"])
    same(["stop_time" in o for o in statement("has")], [False], "another advisory says so: it holds again")
    take(62, 10, fixed=["P-1"])
    same(["stop_time" in o for o in statement("has")], [True], "until that one ends it as well")
    same(take(62, 9, known_affected=["P-1"]), 0, "9 is before 10")
    take(61, 11, known_affected=["P-1"])
    same(["stop_time" in o for o in statement("has")], [False], "and what was said once may be said again")
    take(63, 1, under_investigation=["P-2"])
    take(64, 1, known_not_affected=["P-2"])
    take(63, 2, recommended=["P-3"])
    related = {o["extensions"].popitem()[1]["source_product_id"]: o for o in statement("related-to")
               if "stop_time" not in o and "csaf:recommended" not in o["labels"]}
    same(related["P-2"]["labels"], ["csaf:known_not_affected"], "of two advisories the one that still says it counts")
    reports_there, _ = maker.pull("mind", limit=1000, query="match[type]=report")
    same(sorted(o["labels"][1] for o in reports_there if o["external_references"][0]["external_id"] < "EMSA-2031-063"),
         ["csaf:version:10", "csaf:version:11"], "the reports' versions")


def never_plain(isg):
    """What stands behind TLS is not left for plain HTTP, whoever names it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(isg.dir, "tls/server.pem"), os.path.join(isg.dir, "tls/server.key"))
    port = serve(tls)
    base = "https://127.0.0.1:%d" % port
    put("/tls/51.json", advisory(51))
    PAGES["/tls/feed.json"] = rolie(base, (base + "/tls/51.json", "1"), ("http://127.0.0.1:%d/tls/52.json" % port, "1"))
    run = feed(isg, "tls", base + "/tls/feed.json", "--ca", os.path.join(isg.dir, "tls/ca.pem"))
    same((run["documents"], run.get("failed_documents", 0)), (1, 1), "one by TLS, the plain one refused")
    ok("not https" in run["first_failure"], run["first_failure"])


def main():
    with Instance() as isg:
        maker = isg.member("pumpmaker", "mdm")
        base = "http://127.0.0.1:%d" % serve()
        directory(isg, maker, base)
        rolie_feed(isg, maker, base)
        provider(isg, maker, base)
        one_document(isg, maker, base)
        odd_servers(isg, base)
        files(isg)
        versions(isg, maker)
        never_plain(isg)
    done()


main()
