#!/usr/bin/env python3
"""Files of every format, in by `isg import` and out by `isg convert`: what is made passes the strict
check, comes again without a change, and in any order gives the same store."""
import http.server
import json
import os
import pty
import random
import re
import subprocess
import threading

from gateway import ISG, Instance, corpus, done, ok, same

FEEDS = os.path.join(os.environ.get("ISG_SOURCE", os.getcwd()), "tests/fixtures/feeds")
ON_PURPOSE = {"S-014", "S-019"}  # ids made of names; `medical-device`

# format, files: own fixtures first, then samples of the corpus where it is at hand
OWN = [
    ("kev", ["kev/three.json"]), ("nvd", ["nvd/three.json"]), ("epss", ["epss/table.csv"]),
    ("csaf", ["csaf/full.json", "csaf/products.json"]),
    ("stix", ["stix/bundle.json", "stix/envelope.json"]),
    ("urlhaus", ["urlhaus/five.csv", "urlhaus/answer.json"]), ("threatfox", ["threatfox/rows.csv"]),
    ("feodo", ["feodo/four.json", "feodo/two.csv"]), ("sslbl", ["sslbl/two.csv"]),
    ("spamhaus", ["spamhaus/drop.txt"]), ("dshield", ["dshield/block.txt"]),
    ("openphish", ["openphish/feed.txt"]), ("zeek-intel", ["zeek/intel.dat"]),
    ("csv", ["csv/header.csv"]), ("list", ["list/mixed.txt", "list/hosts.txt", "list/hashes.txt"]),
    ("suricata", ["suricata/eve.jsonl", "suricata/list.json"]),
    ("zeek", ["zeek/two-logs.log", "zeek/lines.json"]), ("shadowserver", ["shadowserver/scan.json"]),
]
SAMPLES = [
    ("kev", ["kev/kev-2025-08-25.json"]), ("nvd", ["nvd/cves-2023.json"]),
    ("suricata", ["suricata/first-org-conf-2015-alerts.json", "suricata/wrccdc-2017-alerts.json"]),
    ("zeek", ["zeek/conn.log", "zeek/conn_date_issue.log", "zeek/dns.log", "zeek/files.log",
              "zeek/http.log", "zeek/json_files.log", "zeek/json_ssl.log", "zeek/notice.log"]),
    ("zeek-intel", ["zeek/intel_example.intel"]),
    ("urlhaus", ["abusech/urlhaus-api-recent.ndjson"]),
    ("threatfox", ["abusech/threatfox-api.ndjson", "abusech/threatfox-row-15-columns.csv"]),
    ("feodo", ["abusech/feodo-ipblocklist.json"]), ("spamhaus", ["blocklists/spamhaus_drop.txt"]),
    ("dshield", ["blocklists/dshield_block.txt"]),
    ("openphish", ["blocklists/old_openphish_feed_commercial.txt"]),
    ("list", ["blocklists/blocklistde_imap.txt", "blocklists/old_urlvir_export-hosts.txt"]),
    ("shadowserver", ["shadowserver/report_type_device_id.json"]),
]


def jobs():
    """Of each format its files, own ones and samples together: (format, [path, ...])."""
    found = {}
    for root, rows in ((FEEDS, OWN), (corpus("feeds"), SAMPLES)):
        for format, names in rows if root else []:
            found.setdefault(format, []).extend(os.path.join(root, name) for name in names)
    if corpus("medical/csaf-icsma"):
        folder = corpus("medical/csaf-icsma")
        found["csaf"] += [os.path.join(folder, name) for name in sorted(os.listdir(folder))[::6]]
    return list(found.items())


def convert(isg, format, path, *more):
    return isg.run("convert", "--format", format, "--exercise", *more, path, check=False)


def strict(isg, all_jobs):
    """Every object that a mapping makes, at once through the strict check."""
    objects = []
    for format, paths in all_jobs:
        for path in paths if format != "epss" else []: # scores need what they are of
            result = convert(isg, format, path)
            ok(result.returncode == 0, "%s: %s" % (path.replace(FEEDS, ""), result.stderr.strip()))
            made = json.loads(result.stdout)["objects"] if result.returncode == 0 else []
            same(len({o["id"] for o in made}), len(made), "each object stands in the bundle once")
            objects += made
    lines = "".join(json.dumps(o) + "\n" for o in objects)
    verdicts = isg.run("validate", "--strict", "--jsonl", "-", stdin=lines, check=False).stdout
    found = [(o["id"], f) for o, line in zip(objects, verdicts.splitlines())
             for kind in ("errors", "warnings") for f in json.loads(line)[kind]
             if f["rule"] not in ON_PURPOSE]
    same(len(verdicts.splitlines()), len(objects), "%d objects are judged" % len(objects))
    same(found[:3], [], "and nothing is found but what is done on purpose")


def import_files(isg, format, paths):
    words = ["--source", "st-mary"] if format == "shadowserver" else []
    report = isg.json("import", "--format", format, "--collection", "all", "--exercise", *words, *paths)
    same((report["files_refused"], report["refused"], report["reasons"]), (0, 0, []),
         "%s: %d objects" % (format, report["accepted"]))
    return report


def import_all(all_jobs, order):
    """A fresh instance with everything; the latest version of each object."""
    mixed = [(format, list(paths)) for format, paths in all_jobs]
    random.Random(order).shuffle(mixed)
    for _, paths in mixed:
        random.Random(order).shuffle(paths)
    # scores come for what is known already, so they come last
    mixed.sort(key=lambda job: job[0] == "epss")
    with Instance(urn="urn:example:isao-gateway:imports") as isg:
        isg.collection("all", **{"default-tlp": "clear"})
        isg.member("st-mary", "hospital")
        seer = isg.member("seer", "isao_staff")
        for format, paths in mixed:
            import_files(isg, format, paths)
        for format, paths in mixed if order == 0 else []:
            again = import_files(isg, format, paths)
            same((again["added"], again["changed"]), (0, 0), "%s again: nothing changes" % format)
        latest = {}
        for o in seer.pull("all", limit=1000, query="match[version]=all")[0]:
            key = (o["id"], o.get("object_marking_refs", [""])[0]) if "modified" not in o else o["id"]
            if key not in latest or o.get("modified", "") >= latest[key].get("modified", ""):
                latest[key] = o
        return latest


def same_store(all_jobs):
    """`modified` aside: a source that adds nothing new to what others said makes no version."""
    stores = [import_all(all_jobs, order) for order in range(3)]
    for other in stores[1:]:
        same(set(other) ^ set(stores[0]), set(), "%d objects, the same in another order" % len(other))
        differ = [key for key in other if {**other[key], "modified": ""} !=
                  {**stores[0].get(key, {}), "modified": ""}]
        same(differ[:3], [], "with the same content")
    kinds = {o["type"] for o in stores[0].values()}
    ok({"indicator", "vulnerability", "report", "observed-data", "malware"} <= kinds, "of all kinds")


def reports(isg):
    path = os.path.join(FEEDS, "urlhaus/five.csv")
    text = isg.run("import", "--format", "urlhaus", "--collection", "indicators", "--exercise", "--dry-run",
                   path).stdout
    ok("5 records" in text and "dry run" in text and "left out" in text, "a report: %s" % text)
    words = ("import", "--format", "urlhaus", "--collection", "indicators", "--exercise", "--json")
    report = json.loads(isg.run(*words, "--dry-run", path).stdout)
    same([report[k] for k in ("files", "records", "accepted", "added", "changed", "same", "refused",
                              "excluded", "unreadable", "dry_run")],
         [1, 5, 5, 5, 0, 0, 0, 1, 0, True], "the report as JSON")
    with open(path) as f:
        text = f.read()
    report = json.loads(isg.run(*words, "-", stdin=text).stdout)
    same((report["added"], report["changed"]), (5, 0), "standard input is a file, too")
    report = json.loads(isg.run(*words, "-", stdin=text.replace("elf,Mozi", "elf,Other")).stdout)
    same((report["added"], report["changed"], report["same"]), (0, 1, 4), "an edit changes one")
    # digest 7.12: a column more stops the file, and nothing of it is stored
    result = isg.run(*words, os.path.join(FEEDS, "urlhaus/inserted-column.csv"), check=False)
    report = json.loads(result.stdout)
    same((result.returncode, report["files_refused"], report["accepted"]), (65, 1, 0), "a column more")
    ok("10 columns where 9 were due" in report["reasons"][0] and report["reasons"][0] in result.stderr,
       "with its reason: %s" % report["reasons"])
    cut = os.path.join(isg.base, "cut.json")
    with open(os.path.join(FEEDS, "kev/three.json")) as f, open(cut, "w") as g:
        g.write(f.read()[:900])
    result = isg.run("import", "--format", "kev", "--collection", "indicators", "--dry-run", "--json", cut,
                     os.path.join(isg.base, "not there"), os.path.join(FEEDS, "kev/three.json"), check=False)
    report = json.loads(result.stdout)
    same((result.returncode, report["files"], report["files_refused"], report["records"]), (74, 3, 2, 3),
         "a file that is not there does not keep the next ones out")
    ok(" at /vulnerabilities" in report["reasons"][0] and "[S-001]" in report["reasons"][0],
       "a reason names place and rule: %s" % report["reasons"][0])
    result = isg.run("convert", "--format", "list", "--exercise", "--json", "-",
                     stdin="198.51.100.7\n127.0.0.1\nbad.example\nbad.example\n")
    left = json.loads(result.stderr)
    same((left["records"], left["excluded"], left["lists"]), (4, 1, {"loopback": 1}),
         "what was left out of a bundle, by list")
    same(len(json.loads(result.stdout)["objects"]), 3, "and what is in it")


def options(isg):
    clinic = os.path.join(FEEDS, "csv/clinic.csv")
    result = isg.run("import", "--format", "csv", "--columns", os.path.join(FEEDS, "csv/clinic.json"),
                     "--collection", "indicators", "--exercise", "--json", clinic)
    same([json.loads(result.stdout)[k] for k in ("records", "excluded", "unreadable")], [5, 2, 0],
         "a table with columns of its own")
    warning = os.path.join(isg.base, "warnings.json")
    with open(warning, "w") as f:
        json.dump({"name": "Resolvers", "type": "cidr", "list": ["198.51.100.0/24"]}, f)
    result = isg.run("convert", "--format", "list", "--exercise", "--warning-lists", warning, "-",
                     stdin="198.51.100.7\n")
    made = [o for o in json.loads(result.stdout)["objects"] if o["type"] == "indicator"][0]
    same((made["labels"], made["confidence"]), (["warning:resolvers"], 20), "a warning list")
    ok("1 on list" in result.stderr, "is told of: %s" % result.stderr)
    folder = os.path.join(isg.base, "lists")
    os.mkdir(folder)
    words = ("convert", "--format", "list", "--exercise", "--warning-lists", folder, "-")
    result = isg.run(*words, stdin="198.51.100.7\n", check=False)
    ok(result.returncode == 65 and "no warning list" in result.stderr, "a folder without lists is told of")
    os.mkdir(os.path.join(folder, "resolvers"))
    os.rename(warning, os.path.join(folder, "resolvers/list.json"))
    ok("1 on list Resolvers" in isg.run(*words, stdin="198.51.100.7\n").stderr,
       "lists each in a folder of its own, as the MISP project has them")
    eve = json.dumps({"timestamp": "2031-03-29T17:00:00Z", "event_type": "alert", "src_ip": "203.0.113.9",
                      "src_port": 5, "dest_ip": "198.51.100.20", "dest_port": 22, "proto": "TCP",
                      "alert": {"gid": 1, "signature_id": 7, "rev": 1, "signature": "x"}})
    for networks, seen in (("192.0.2.0/24", 0), ("192.0.2.0/24, 198.51.100.0/24", 1)):
        result = isg.run("convert", "--format", "suricata", "--exercise", "--networks", networks, "-",
                         stdin=eve)
        objects = json.loads(result.stdout)["objects"]
        same(sum(o["type"] == "observed-data" for o in objects), seen, "networks %s" % networks)
        ok(not seen or "198.51.100.20" not in result.stdout, "the own end stays in the house")
    for words, code in ((["--columns", "absent.json"], 74), (["--columns", clinic], 65),
                        (["--networks", "10.0.0.0/8"], 64), (["--warning-lists", clinic], 65)):
        result = isg.run("convert", "--format", "csv", *words, clinic, check=False)
        same(result.returncode, code, "%s: %s" % (words[0], result.stderr.strip()))
    for networks, said in (("300.0.0.0/8", "300.0.0.0/8"), ("10.0.0.0/8 x", "`x`"), (" , ", "no network")):
        result = isg.run("convert", "--format", "suricata", "--networks", networks, "-", stdin=eve, check=False)
        ok(result.returncode == 64 and said in result.stderr, "networks %r: %s" % (networks, result.stderr.strip()))
    same(isg.run("convert", "--format", "kev", "--columns", "x", "y", check=False).returncode, 64,
         "columns are of tables")


def to_one_member(isg):
    """Shadowserver's reports: for the member, and for staff."""
    path = os.path.join(FEEDS, "shadowserver/scan.json")
    words = ["import", "--format", "shadowserver", "--collection", "indicators", path]
    result = isg.run(*words, check=False)
    same(result.returncode, 64, "the member must be named: %s" % result.stderr.strip())
    isg.run(*words, "--source", "st-mary")
    for name, seen in (("st-mary", True), ("st-luke", False), ("pumpmaker", False), ("seer", True)):
        text = json.dumps(isg.client(name, "secret of %s" % name).pull("indicators")[0])
        same("198.51.100.20" in text, seen, "%s %s it" % (name, "sees" if seen else "never sees"))


def terminal(isg):
    """A bar where standard error is a terminal, and only there."""
    path = os.path.join(FEEDS, "kev/three.json")
    words = [ISG, "import", "--format", "kev", "--collection", "indicators", path]
    env = dict(os.environ, ISG_DIR=isg.dir)
    ours, theirs = pty.openpty()
    process = subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, env=env)
    os.close(theirs)
    drawn = os.read(ours, 65536).decode()
    os.close(ours)
    ok(process.returncode == 0 and re.search(r"\r\[[#-]+\] +\d+ %, \d+ objects", drawn), "a bar: %r" % drawn)
    ok(drawn.endswith("\r\x1b[K") and b"\r" not in process.stdout, "that is gone before the report")
    process = subprocess.run(words, capture_output=True, env=env)
    same(process.stderr, b"", "no bar in a file")


class Drifting(http.server.BaseHTTPRequestHandler):
    name = "five.csv"

    def log_message(self, *_):
        pass

    def do_GET(self):
        with open(os.path.join(FEEDS, "urlhaus", Drifting.name), "rb") as f:
            body = f.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def drift(isg):
    """Digest 7.12, as a feed: a column more stops it, and the operator is told."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drifting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Drifting.name = "inserted-column.csv"
    before = isg.log_end()
    isg.run("feed", "add", "drift", "--url", "http://127.0.0.1:%d/" % server.server_port, "--format",
            "urlhaus", "--collection", "drift", "--interval", "30d", "--allow-private")
    result = isg.run_feed("drift")
    ok(result.returncode == 65 and "10 columns where 9 were due" in result.stderr, result.stderr.strip())
    status = isg.json("feed", "status")["feeds"][0]
    ok("10 columns" in json.dumps(status) and status["failures"] >= 1, "the status tells of it")
    ok(any("10 columns" in json.dumps(e) for e in isg.events(since=before)), "and the log")
    same([c["events"] for c in isg.json("status")["collections"] if c["title"] == "drift"], [0],
         "nothing is stored")
    server.shutdown()


all_jobs = jobs()
with Instance() as isg:
    for name, kind in (("st-mary", "hospital"), ("st-luke", "hospital"), ("pumpmaker", "mdm"),
                       ("seer", "isao_staff")):
        isg.member(name, kind)
    isg.collection("drift")
    strict(isg, all_jobs)
    reports(isg)
    options(isg)
    to_one_member(isg)
    terminal(isg)
    drift(isg)
same_store(all_jobs)
done()
