#!/usr/bin/env python3
"""`isg export` for other tools: what a member may see, as tables, lists, rules, a zone and feeds."""
import csv
import glob
import json
import os
import re
import shutil
import stat
import subprocess

from gateway import Instance, done, indicator, ok, same

MD5 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
V6 = "2001:db8::5"


def pattern(n, text, tlp="green", **more):
    return indicator(n, tlp, pattern=text, **more)


OBJECTS = [
    pattern(1, "[domain-name:value = 'bad.example']", name="=cmd|'/c calc'!A1"),
    pattern(2, "[ipv4-addr:value = '198.51.100.7']", "clear"),
    pattern(3, "[url:value = 'http://bad.example:8080/a;b\"c|d']", "amber", name="tab\there\nand there"),
    pattern(4, "[file:hashes.MD5 = '%s' OR ipv6-addr:value = '%s']" % (MD5, V6)),
    pattern(5, "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"),
    pattern(6, "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = "
               "'198.51.100.8' AND network-traffic:dst_port = 443]"),
    pattern(7, "[email-addr:value = 'x@bad.example']"),
    pattern(10, "[domain-name:value = 'hidden.example']", "red"),
    pattern(11, "[domain-name:value = 'gone.example']", revoked=True),
    pattern(12, "[domain-name:value = 'over.example']", valid_from="2019-01-05T00:00:00Z",
            valid_until="2019-01-06T00:00:00Z"),
    pattern(13, "[ipv4-addr:value = '10.20.30.40']"),
    pattern(14, "[domain-name:value != 'other.example']"),
    pattern(15, "[domain-name:value = 'own.hospital.example']"),
]
NEVER = ("hidden.example", "gone.example", "over.example", "10.20.30.40", "other.example")


def read(path):
    with open(path, newline="") as f:
        return f.read()


def export(isg, form, *more, name=None):
    target = os.path.join(isg.base, name or "out." + form)
    said = isg.run("export", "--collection", "observed", "--as", "pumpmaker", "--format", form,
                   "-o", target, "--json", *more)
    for word in NEVER:
        for path in glob.glob(target + "*") + glob.glob(target + "/*"):
            if os.path.isfile(path):
                ok(word not in read(path), "%s: no %s" % (os.path.basename(path), word))
    same(glob.glob(os.path.join(isg.base, "*.part*")), [], "%s: nothing half-written" % form)
    return target, json.loads(said.stdout), said.stderr


def tables(isg):
    target, facts, said = export(isg, "csv")
    text = read(target)
    rows = list(csv.DictReader(text.splitlines()))
    same(text.count("\r\n"), len(rows) + 1, "csv: a record a line, ended by CR LF")
    same(sorted((r["type"], r["value"]) for r in rows), sorted([
        ("domain", "bad.example"), ("domain", "own.hospital.example"), ("ipv4", "198.51.100.7"),
        ("url", "http://bad.example:8080/a;b\"c|d"), ("md5", MD5), ("ipv6", V6),
        ("cidr4", "203.0.113.0/24"), ("ip-port", "198.51.100.8:443"), ("email", "x@bad.example"),
    ]), "csv: the values")
    ok(all(cell[:1] not in tuple("=+-@\t\r") or not cell for r in rows for cell in r.values()),
       "csv: no cell is a formula (R-097)")
    same({r["value"]: r["tlp"] for r in rows}["http://bad.example:8080/a;b\"c|d"], "amber",
         "csv: the level of each")
    same(facts["rows"], len(rows), "csv: rows are counted")
    same(facts["indicators"], 12, "csv: of the indicators that the member may see")
    same(facts["dropped"], {"revoked": 1, "expired": 1, "negation": 1, "excluded": 1},
         "csv: what is left out, by reason")
    same(facts["excluded"], {"private": 1}, "csv: and by list")
    ok("1 revoked" in said and "(1 private)" in said, "csv: told on standard error as well")
    lines = [json.loads(line) for line in read(export(isg, "ecs")[0]).splitlines()]
    kinds = sorted(line["threat"]["indicator"]["type"] for line in lines)
    same(kinds, ["domain-name", "domain-name", "email-addr", "file", "ipv4-addr", "ipv4-addr",
                 "ipv6-addr", "url"], "ecs: a line a value")


def lists(isg):
    for kind, want in (("ipv4", ["198.51.100.7", "203.0.113.0/24"]), ("ipv6", [V6]), ("md5", [MD5]),
                       ("sha256", []), ("domain", ["bad.example", "own.hospital.example"])):
        target, _, _ = export(isg, "list", "--type", kind, name="list." + kind)
        same(read(target).split("\n")[:-1], want, "list of %s" % kind)
    same(len(read(export(isg, "list")[0]).split()), 8, "a list of all")
    own = os.path.join(isg.base, "own.json")
    with open(own, "w") as f:
        json.dump({"name": "own", "type": "hostname", "list": ["hospital.example"]}, f)
    target, facts, _ = export(isg, "list", "--warning-lists", own, name="list.not-own")
    ok("own.hospital.example" not in read(target), "one's own names are left out (R-099)")
    same(facts["excluded"], {"private": 1, "own": 1}, "and counted")


def sensors(isg):
    target, _, _ = export(isg, "suricata", name="isao.rules")
    rules = read(target).splitlines()
    sids = [re.search("; sid:([0-9]+); rev:[0-9]+;\\)$", rule).group(1) for rule in rules]
    same(len(sids), len(set(sids)), "suricata: every rule has a sid of its own")
    ok(any('content:"/a|3B|b|22|c|7C|d"' in rule for rule in rules), "suricata: escaped in hex")
    same(read(target + ".md5"), MD5 + "\n", "suricata: a list of hashes beside it")
    ok(any("filemd5:isao.rules.md5;" in rule for rule in rules), "suricata: which a rule names")
    export(isg, "suricata", name="isao.rules")
    same(read(target).splitlines(), rules, "suricata: the same again, sids included")
    target, _, _ = export(isg, "zeek")
    fields = [line.split("\t") for line in read(target).split("\n")[:-1]]
    same({len(f) for f in fields[1:]}, {4}, "zeek: four fields a line")
    same({f[1] for f in fields[1:]}, {"Intel::DOMAIN", "Intel::ADDR", "Intel::URL", "Intel::FILE_HASH",
                                      "Intel::SUBNET", "Intel::EMAIL"}, "zeek: types")
    ok("bad.example:8080/a;b\"c|d" in [f[0] for f in fields], "zeek: a URL without its scheme")


def zone(isg):
    target, facts, _ = export(isg, "rpz")
    lines = read(target).splitlines()
    for want in ("bad.example IN CNAME .", "*.bad.example IN CNAME .", "32.7.100.51.198.rpz-ip IN CNAME .",
                 "24.0.113.0.203.rpz-ip IN CNAME .", "128.5.zz.db8.2001.rpz-ip IN CNAME ."):
        ok(want in lines, "rpz: " + want)
    same(facts["dropped"]["no-form"], 4, "rpz: what has no form in a zone is counted")
    checker = shutil.which("named-checkzone", path=os.environ["PATH"] + ":/usr/sbin:/usr/bin")
    if checker is None:
        return
    said = subprocess.run([checker, "-i", "local", "rpz.isao.example", target], capture_output=True,
                          text=True)
    same(said.returncode, 0, "rpz: named-checkzone takes it: " + said.stdout.strip()[-80:])


def events_of(folder):
    manifest = json.loads(read(folder + "/manifest.json"))
    return {uuid: json.loads(read("%s/%s.json" % (folder, uuid)))["Event"] for uuid in manifest}


def misp(isg, hospital, collection):
    folder, facts, _ = export(isg, "misp", name="misp")
    events = events_of(folder)
    attributes = [a for e in events.values() for a in e["Attribute"]]
    same(len(attributes), facts["rows"], "misp: an attribute a row")
    same(sorted(e["Tag"][0]["name"] for e in events.values()), ["tlp:amber", "tlp:clear", "tlp:green"],
         "misp: an event a level")
    hashes = [line.split(",") for line in read(folder + "/hashes.csv").splitlines()]
    same(len(hashes), len(attributes) + 1, "misp: a hash a value, two of a composite")
    same({uuid for _, uuid in hashes}, set(events), "misp: of these events")
    with open(folder + "/notes.json", "w") as f:
        f.write("{}")
    gone = dict(OBJECTS[1], revoked=True, modified="2026-02-01T00:00:00.000Z")
    changed = dict(OBJECTS[0], revoked=True, modified="2026-02-02T00:00:00.000Z")
    same(hospital.push(collection, [gone, changed]).json["success_count"], 2, "two are withdrawn")
    export(isg, "misp", name="misp")
    after = events_of(folder)
    clear = [uuid for uuid, e in events.items() if e["Tag"][0]["name"] == "tlp:clear"][0]
    green = [uuid for uuid, e in events.items() if e["Tag"][0]["name"] == "tlp:green"][0]
    ok(clear not in after and not os.path.exists("%s/%s.json" % (folder, clear)),
       "misp: an event without attributes goes")
    ok(int(after[green]["timestamp"]) > int(events[green]["timestamp"]),
       "misp: an event is newer when an attribute goes")
    ok(os.path.exists(folder + "/notes.json"), "misp: other files stay")


def refusals(isg):
    target = os.path.join(isg.base, "kept")
    with open(target, "w") as f:
        f.write("before")
    rows = [(64, "--format", "xml", "-o", target), (64, "--format", "list", "--type", "xml", "-o", target),
            (64, "--format", "csv", "--type", "ipv4", "-o", target), (64, "--format", "csv", "-o", "-"),
            (64, "--format", "csv", "--all-versions", "-o", target),
            (74, "--format", "csv", "-o", isg.base + "/none/here"),
            (74, "--format", "misp", "-o", isg.base + "/none/here"),
            (74, "--format", "csv", "--warning-lists", isg.base + "/none", "-o", target),
            (65, "--format", "csv", "--warning-lists", isg.log, "-o", target),
            (69, "--format", "csv", "--as", "nobody", "-o", target)]
    for code, *words in rows:
        got = isg.run("export", "--collection", "observed", *words, check=False)
        ok(got.returncode == code or (code == 69 and got.returncode != 0),
           "export %s: exit %d %s" % (" ".join(words), got.returncode, got.stderr.strip()[:90]))
    os.mkfifo(target + ".pipe")
    os.mkdir(target + ".folder")
    os.mkdir(target + ".rules.sha1")
    for form in ("stix", "csv", "suricata"):
        for end, word in ((".pipe", "no plain file"), (".folder", "directory")):
            got = isg.run("export", "--collection", "observed", "--format", form, "-o", target + end,
                          check=False)
            ok(got.returncode == 74 and word in got.stderr, "%s: nothing takes the place of a %s" % (
                form, end[1:]))
    ok(stat.S_ISFIFO(os.stat(target + ".pipe").st_mode), "the pipe stays one")
    got = isg.run("export", "--collection", "observed", "--format", "suricata", "-o",
                  target + ".rules", check=False)
    same(got.returncode, 74, "a list whose place is taken")
    same(sorted(glob.glob(target + "*")), [target, target + ".folder", target + ".pipe",
                                           target + ".rules.sha1"], "no part of them is written")
    same(read(target), "before", "a refused export leaves the file as it was")
    same(glob.glob(os.path.join(isg.base, "*.part*")), [], "and nothing beside it")


with Instance() as isg:
    hospital = isg.member("st-mary", "hospital")
    isg.member("pumpmaker", "mdm")
    collection = isg.collection("observed", write="st-mary")
    same(hospital.push(collection, OBJECTS).json["success_count"], len(OBJECTS), "the push is taken")
    tables(isg)
    lists(isg)
    sensors(isg)
    zone(isg)
    misp(isg, hospital, collection)
    refusals(isg)
done()
