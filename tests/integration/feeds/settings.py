#!/usr/bin/env python3
"""What the settings of a feed and the files they name say of its mapping: columns, warning lists, the
networks of the sensors' house, the staff's names of vendors. When one changes, the next run maps the
whole source anew, although the source itself says that it did not change."""
import hashlib
import http.server
import json
import os
import threading

from gateway import SOURCE, Instance, done, ok, same

TABLE = b"Hash;Note\n" + b"ab" * 32 + b";pump\n" + b"cd" * 32 + b";monitor\n"
# One connection from an address of the house to one outside, and one the other way round.
EVE = b"".join(json.dumps({
    "timestamp": "2031-03-29T17:00:0%d.000000+0000" % n, "event_type": "alert", "src_ip": source, "src_port": 4711,
    "dest_ip": to, "dest_port": 443, "proto": "TCP",
    "alert": {"gid": 1, "signature_id": 7 + n, "rev": 1, "signature": "beacon"}}).encode() + b"\n"
    for n, (source, to) in enumerate((("11.1.2.3", "12.4.5.6"), ("10.0.0.9", "11.1.2.3"))))
PAGES = {}


class Source(http.server.BaseHTTPRequestHandler):
    """PAGES, each with an ETag, and 304 to whoever knows it."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = PAGES.get(self.path)
        etag = '"%s"' % hashlib.sha256(body or b"").hexdigest()[:16]
        known = body is not None and self.headers.get("If-None-Match") == etag
        self.send_response(404 if body is None else 304 if known else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", "0" if known or body is None else str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if known or body is None else body)


def advisory(number, vendor):
    with open(os.path.join(SOURCE, "tests/fixtures/feeds/csaf/products.json")) as f:
        doc = json.load(f)
    doc["document"]["tracking"]["id"] = "EMSA-2031-%03d" % number
    doc["document"]["distribution"] = {"tlp": {"label": "WHITE"}}
    doc["product_tree"]["branches"][0]["name"] = vendor
    return json.dumps(doc).encode()


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    return path


class Bed:
    def __init__(self, isg, url):
        self.isg, self.url, self.reader = isg, url, None

    def add(self, name, page, form, *options):
        self.isg.run("feed", "add", name, "--url", self.url + page, "--format", form, "--collection", name,
                     "--interval", "30d", "--allow-private", *options)
        return self.ran(name)

    def ran(self, name):
        run = self.isg.run_feed(name, "--json")
        return json.loads(run.stdout) if run.returncode == 0 else {"error": run.stderr}

    def settles(self, name, why):
        """The source is not read any more."""
        same(self.ran(name).get("state"), "unchanged", "%s: then it is unchanged" % why)

    def indicators(self, name, **wanted):
        objects = self.reader.pull(name)[0]
        return [o for o in objects if o["type"] == "indicator" and all(o.get(k) == v for k, v in wanted.items())]


def check_columns(bed):
    columns = {"name": "clinic", "delimiter": ";", "confidence": 70, "columns": {"value": "Hash", "tags": "Note"}}
    path = write(bed.isg.dir, "clinic.json", columns)
    lists = os.path.join(bed.isg.dir, "lists")
    os.mkdir(lists)
    write(lists, "other.json", {"name": "Other", "type": "string", "list": ["ef" * 32]})
    bed.add("table", "/table.csv", "csv", "--columns", path, "--warning-lists", lists)
    same(len(bed.indicators("table", confidence=70)), 2, "a table by its columns")
    bed.settles("table", "columns")
    write(bed.isg.dir, "clinic.json", dict(columns, confidence=40))
    same(bed.ran("table").get("changed"), 2, "other columns in the same file: mapped anew")
    same(len(bed.indicators("table", confidence=40)), 2, "as they say now")
    bed.settles("table", "other columns")
    write(lists, "known.json", {"name": "Known", "type": "string", "list": ["cd" * 32]})
    same(bed.ran("table").get("changed"), 1, "one more list in the folder: mapped anew")
    same(["cd" * 32 in o["pattern"] for o in bed.indicators("table") if "warning:known" in o.get("labels", [])],
         [True], "it warns of one")
    bed.settles("table", "one more list")
    write(lists, "known.json", {"name": "Known", "type": "string", "list": ["nothing"]})
    same(bed.ran("table").get("changed"), 1, "another text in it: mapped anew")
    bed.settles("table", "another text")
    write(bed.isg.dir, "clinic.json", "{")
    ok("clinic.json" in bed.ran("table").get("error", ""), "a file that is spoilt is told, also of an unchanged source")
    write(bed.isg.dir, "clinic.json", dict(columns, confidence=40))
    bed.settles("table", "the file as it was")


def check_own_hosts(bed):
    """What answers for this gateway and where the feed comes from are not to be blocked (digest 3.4)."""
    ran = bed.add("block", "/block.txt", "list")
    patterns = sorted(o["pattern"] for o in bed.indicators("block"))
    same(patterns, ["[domain-name:value = 'evil.invented.net']", "[domain-name:value = 'invented.net']",
                    "[url:value = 'https://isao.invented.net/x']"], "the gateway's own name is left out")
    same(ran.get("excluded"), 2, "and so is the feed's, and both are counted")
    same([o["confidence"] for o in bed.indicators("block") if "warning:own-hosts" in o.get("labels", [])], [20],
         "a page on it is warned of")


def check_state(bed):
    """What a table of full state no longer has is over; of one that shows a window it is not."""
    rows = b"".join(b"host-%d.invented.net\n" % n for n in range(9))
    for state, over in (("full", 1), ("window", 0)):
        path = write(bed.isg.dir, state + ".json", {"name": state, "columns": {"value": 1}, "state": state})
        PAGES["/state.csv"] = rows
        same(bed.add(state, "/state.csv", "csv", "--columns", path).get("delisted"), 0, "all of %s are there" % state)
        PAGES["/state.csv"] = rows[:-len(b"host-8.invented.net\n")]
        same(bed.ran(state).get("delisted"), over, "one of %s is gone" % state)
        same(["host-8" in o["pattern"] for o in bed.indicators(state) if "feed:delisted" in o.get("labels", [])],
             [True] * over, "%s: what was left out" % state)


def seen(bed, name):
    """The addresses outside that were observed."""
    return sorted(o["value"] for o in bed.reader.pull(name)[0] if o["type"] == "ipv4-addr")


def check_networks(bed):
    bed.add("plain", "/eve.json", "suricata")
    same(seen(bed, "plain"), ["11.1.2.3"], "private networks are the house: one end of one alert is in it")
    bed.add("house", "/eve.json", "suricata", "--networks", "11.0.0.0/8, 10.0.0.0/8")
    same(seen(bed, "house"), ["12.4.5.6"], "the house by its setting: its address does not leave")
    for words, code in ((("--format", "suricata", "--networks", "11.0.0.1/8"), 65),
                        (("--format", "kev", "--networks", "11.0.0.0/8"), 65)):
        run = bed.isg.run("feed", "add", "wrong", "--url", bed.url + "/x", "--collection", "house", "--allow-private",
                          *words, check=False)
        ok(run.returncode == code and "/networks" in run.stderr, "refused: %s" % run.stderr.strip())
    bed.settles("configured", "of the configuration")
    same(seen(bed, "configured"), ["11.1.2.3"], "a feed of the configuration, without the setting")
    bed.isg.stop()
    bed.isg.replace("^    collection: configured$", "    collection: configured\n    networks: 11.0.0.0/8,10.0.0.0/8")
    bed.isg.start()
    bed.reader.close()
    ok(bed.ran("configured").get("state") != "unchanged", "with it")
    same(seen(bed, "configured"), ["11.1.2.3", "12.4.5.6"], "mapped anew although the source did not change")


def devices(objects):
    return sorted(o["id"] for o in objects if o["type"] == "infrastructure" and "ExamplePump 3000" in o["name"])


def check_vendors(bed):
    first = bed.add("vendors", "/csaf/index.txt", "csaf")
    same(first.get("documents"), 2, "two advisories of one vendor under two names")
    before = devices(bed.reader.pull("vendors", limit=1000)[0])
    one = len(devices(json.loads(bed.isg.run("convert", "--format", "csaf", bed.one).stdout)["objects"]))
    same(len(before), 2 * one, "are of different products")
    bed.settles("vendors", "advisories")
    write(bed.isg.dir, "vendors.txt", "# as our members write them\nEM Devices, Inc. = ExampleMed GmbH\n")
    same(bed.ran("vendors").get("documents"), 2, "with the staff's aliases: read anew")
    bed.settles("vendors", "aliases")
    same(devices(bed.reader.pull("vendors", limit=1000)[0]), before, "and known products are spoken of")
    theirs = devices(json.loads(bed.isg.run("convert", "--format", "csaf", bed.one).stdout)["objects"])
    ours = devices(json.loads(bed.isg.run("convert", "--format", "csaf", bed.two).stdout)["objects"])
    same(theirs, ours, "convert goes by the instance's aliases")
    bed.isg.run("import", "--format", "csaf", "--collection", "imported", bed.one, bed.two)
    same(devices(bed.reader.pull("imported", limit=1000)[0]), ours, "and so does import")
    empty = write(bed.isg.base, "none.txt", "")
    other = bed.isg.run("convert", "--format", "csaf", "--vendor-aliases", empty, bed.two).stdout
    ok(devices(json.loads(other)["objects"]) != ours, "an option names another file")
    write(bed.isg.dir, "vendors.txt", "EM Devices\n")
    said = bed.ran("vendors").get("error", "")
    ok("vendors.txt" in said and "line 1" in said, "a line that is none is named: %s" % said.strip())
    run = bed.isg.run("import", "--format", "csaf", "--collection", "imported", bed.one, check=False)
    ok(run.returncode == 65 and "line 1" in run.stderr, "also by import: %s" % run.stderr.strip())
    run = bed.isg.run("convert", "--format", "kev", "--vendor-aliases", empty, bed.one, check=False)
    ok(run.returncode == 64 and "kev" in run.stderr, "an option without use: %s" % run.stderr.strip())


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    isg = Instance()
    bed = Bed(isg, "http://127.0.0.1:%d" % server.server_port)
    PAGES.update({"/table.csv": TABLE, "/eve.json": EVE,
                  "/block.txt": b"isao.invented.net\nevil.invented.net\ninvented.net\nhttps://isao.invented.net/x\n127.0.0.1\n",
                  "/csaf/index.txt": b"1.json\n2.json\n",
                  "/csaf/1.json": advisory(1, "ExampleMed, Inc."), "/csaf/2.json": advisory(2, "EM Devices Inc")})
    for name in ("1", "2"):
        body = PAGES["/csaf/%s.json" % name]
        PAGES["/csaf/%s.json.sha512" % name] = hashlib.sha512(body).hexdigest().encode()
        write(isg.base, name + ".json", body.decode())
    bed.one, bed.two = (os.path.join(isg.base, n) for n in ("1.json", "2.json"))
    write(isg.dir, "vendors.txt", "")
    isg.replace("^public_url: .*$", "public_url: https://isao.invented.net:9443")
    isg.replace("^(id_urn: .*)$", r"\1\nvendor_aliases: vendors.txt")
    with open(os.path.join(isg.dir, "isg.yaml"), "a") as f:
        f.write("feeds:\n  - name: configured\n    url: %s/eve.json\n    format: suricata\n"
                "    collection: configured\n    interval: 30d\n    allow_private: true\n" % bed.url)
    with isg:
        bed.reader = isg.member("reader", "isao_staff")
        for title in ("table", "plain", "house", "configured", "vendors", "imported", "block", "full", "window"):
            isg.collection(title)
        bed.ran("configured")
        check_own_hosts(bed)
        check_state(bed)
        check_columns(bed)
        check_vendors(bed)
        check_networks(bed)
    server.shutdown()


main()
done()
