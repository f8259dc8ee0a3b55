#!/usr/bin/env python3
"""The command line's contract: exit codes, line protocols, errors that name path and rule."""
import json
import os
import signal
import subprocess

from gateway import ISG, Instance, done, indicator, ok, same

HELP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../gateway/cli/help")


def isg_raw(*words, stdin=None):
    r = subprocess.run([ISG, *words], capture_output=True, text=True, input=stdin, timeout=120)
    return r.returncode, r.stdout, r.stderr


def exit_codes(folder):
    rows = [
        ((), 64, "no command"), (("--help",), 0, "help"), (("--version",), 0, "version"),
        (("nonsense",), 64, "unknown command"), (("validate", "--nonsense"), 64, "unknown option"),
        (("validate",), 64, "no file"), (("validate", folder + "/absent"), 74, "absent file"),
        (("convert", "--format", "nonsense", "x"), 64, "unknown format"),
        (("member", "list", "-C", folder), 74, "no instance"),
        (("member", "nonsense"), 64, "unknown word of a family"),
        (("pattern", "check", "[a:b = 1]"), 0, "good pattern"),
        (("pattern", "check", "[a:b = ]"), 1, "bad pattern"),
        (("init", folder), 64, "init without --listen"),
        (("init", "/proc/nonsense", "--listen", "127.0.0.1:1"), 73, "init where nothing can be made"),
        (("verify", folder + "/absent", "-C", folder), 65, "verify an absent file"),
        (("convert", "--format", "kev", "--id-urn", "nonsense", os.devnull), 64, "a namespace that is no URN"),
    ]
    for words, want, name in rows:
        same(isg_raw(*words)[0], want, "exit %d: %s" % (want, name))
    version = json.loads(isg_raw("--version", "--json")[1])
    same((version["stix"], version["taxii"]), ("2.1", "2.1"), "--version --json names the standards")
    for command in ("init", "serve", "wait", "member", "collection", "import", "convert", "export",
                    "verify", "key", "validate", "pattern", "id", "canon", "feed", "peer", "webhook",
                    "status", "doctor", "check-config", "config"):
        code, out, _ = isg_raw(command, "--help")
        with open(os.path.join(HELP, command + ".txt"), encoding="utf-8") as f:
            text = f.read()
        ok(code == 0 and "usage: isg " + command in out and out.endswith(text), "isg %s --help" % command)


def lines(*words, values):
    code, out, _ = isg_raw(*words, stdin="".join(v if isinstance(v, str) else json.dumps(v)
                                                 for v in [x + "\n" if isinstance(x, str) else
                                                           json.dumps(x) + "\n" for x in values]))
    return code, [json.loads(line) for line in out.splitlines()]


def pattern_lines():
    seen = {"type": "observed-data", "first_observed": "2026-01-05T08:00:00Z",
            "last_observed": "2026-01-05T08:00:00Z", "number_observed": 1,
            "objects": {"0": {"type": "file", "name": "pump.bin"}}}
    plain = "[file:name = 'pump.bin']"
    old = plain + " START '2026-01-01T00:00:00Z' STOP '2027-01-01T00:00:00Z'"
    matches = [(plain, [seen], None, True), (plain, seen, None, True), (plain, [], None, False),
               (old, [seen], None, True), (old, [seen], "2.0", True),
               (old, [dict(seen, spec_version="2.1")], "2.0", True)]
    wrong = [(old, [seen], "2.1", ""), (old, [dict(seen, spec_version="2.1")], None, ""),
             (plain, [seen, dict(seen, number_observed=0)], None, "/observations/1/number_observed: "),
             (plain, "x", None, ""), ("[", [seen], None, "")]
    values = [dict({"pattern": p, "observations": o}, **({"pattern_version": v} if v else {}))
              for p, o, v, _ in matches + wrong]
    code, answers = lines("pattern", "match", "--jsonl", "-", values=values + ["nonsense"])
    same([a.get("match") for a in answers], [m for _, _, _, m in matches] + [None] * 6, "matches")
    ok(all(a["error"].startswith(w[3]) for a, w in zip(answers[len(matches):], wrong)),
       "errors lead to the place")
    ok("error" in answers[-1], "a line that is no JSON is answered")
    _, answers = lines("pattern", "equiv", "--jsonl", "-", values=[
        {"a": plain, "b": "[file:name == 'pump.bin']"}, {"a": plain, "b": "[file:name = 'x']"},
        {"a": old, "b": old, "version": "2.0"}, {"a": old, "b": old}, {"a": plain},
        {"a": plain, "b": "["}, {"a": plain, "b": plain, "version": "3"}])
    same([a.get("equivalent") for a in answers], [True, False, True, True, None, None, None],
         "equivalence, a pair a line")
    for option in ("--stix", "--version"):
        _, answers = lines("pattern", "check", option, "2.0", "--jsonl", "-", values=[
            json.dumps(old), {"pattern": old}, {"pattern": old, "version": "2.1"}])
        same([a["valid"] for a in answers], [True, True, False], "2.0 by %s and by line" % option)


def line_protocols():
    bad = indicator(1, valid_until="2026-01-05T08:00:00Z")
    values = [indicator(1), bad, '{"broken', [indicator(2), bad],
              {"type": "bundle", "id": "bundle--2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11",
               "objects": [indicator(3)]}]
    code, answers = lines("validate", "--jsonl", "-", values=values)
    same([a["valid"] for a in answers], [True, False, False, False, True], "a verdict a line, in order")
    same(code, 1, "exit 1 when any is not valid")
    ok(any(e["path"] == "/valid_until" and e["rule"] == "S-035" for e in answers[1]["errors"]),
       "the error names path and rule")
    ok(any(e["path"].startswith("/1/") for e in answers[3]["errors"]), "in a list with the index")
    code, answers = lines("pattern", "check", "--jsonl", "-", values=[
        '"[file:name = \'a\']"', '"[file:name = ]"', "7", "nonsense"])
    same([a["valid"] for a in answers], [True, False, False, False], "patterns, one a line")
    pattern_lines()
    code, answers = lines("id", "--jsonl", "-", values=[
        {"type": "ipv4-addr", "value": "198.51.100.7"},
        {"type": "domain-name", "value": "bad.example"}, {"type": "nonsense"}])
    same(answers[0].get("id"), "ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db", "golden id of an address")
    same(answers[1].get("id"), "domain-name--3feb0435-4cfe-526c-ad29-7497916a7c8c", "golden id of a domain")
    ok("error" in answers[2], "no id for an unknown type, and no death")
    slow = subprocess.Popen([ISG, "validate", "--jsonl", "-"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    for n in range(3):
        slow.stdin.write(json.dumps(indicator(n)) + "\n")
        slow.stdin.flush()
        same(json.loads(slow.stdout.readline())["valid"], True, "an answer before the next line %d" % n)
    slow.stdin.close()
    same(slow.wait(60), 0, "and 0 at the end")


def files(folder):
    path = os.path.join(folder, "value.json")
    with open(path, "w") as f:
        f.write('{"b": 1.0, "a": "\\u00e9", "c": [1e21, 0.002]}')
    same(isg_raw("canon", path)[1], '{"a":"é","b":1,"c":[1e+21,0.002]}', "canonical text")
    bundle = {"type": "bundle", "id": "bundle--2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11",
              "objects": [indicator(n) for n in range(5)]}
    with open(path, "w") as f:
        json.dump(bundle, f)
    code, out, _ = isg_raw("validate", "--json", path)
    told = json.loads(out)
    same((code, told["objects"], told["findings"]), (0, 5, []), "a valid bundle of five")
    bundle["objects"][3]["confidence"] = 101
    with open(path, "w") as f:
        json.dump(bundle, f)
    code, out, _ = isg_raw("validate", path)
    ok(code == 1 and "/objects/3/confidence" in out, "an error with its path: " + out.splitlines()[0])
    told = json.loads(isg_raw("validate", "--json", path)[1])
    same((told["errors"], [(f["level"], f["path"], f["rule"]) for f in told["findings"] if f["level"] == "error"]),
         (1, [("error", "/objects/3/confidence", "S-027")]), "and as JSON")


def terminals(folder):
    """What a hostile file says moves no cursor on the terminal of who looks at it."""
    evil, path = "\x1b]0;title\x07\x1b[31m\u009b2J", os.path.join(folder, "evil.json")
    bundle = {"type": "bundle", "id": "bundle--2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11", "objects": [
        indicator(1, **{evil: 1}), indicator(2, id=evil), indicator(3, extensions={evil: {}})]}
    with open(path, "w") as f:
        json.dump(bundle, f)
    for words in (("validate", path), ("convert", "--format", "stix", "-o", os.path.join(folder, "out.json"), path),
                  ("validate", evil), ("validate", "--" + evil), (evil,)):
        code, out, err = isg_raw(*words)
        found = [c for c in out + err if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]
        ok(code != 0 and "title" in out + err and not found, "isg %s: %r" % (words[0].split("\x1b")[0], found))


def starts(isg):
    """A service that cannot start says which file or setting it is."""
    key, config, seed = (os.path.join(isg.dir, name) for name in ("keys/content.key", "isg.yaml", "state/seed.json"))
    with open(key, "rb") as f:
        whole = f.read()
    rows = [("a damaged signing key", key, whole[:100], 65, key),
            ("another passphrase", os.path.join(isg.dir, "secrets/keys.pass"), b"another", 77, key),
            ("no passphrase is named", config, b"", 78, "keys.passphrase_file"),
            ("collections to be made that are no JSON", seed, b"x", 65, seed)]
    for name, path, bad, code, said in rows:
        with open(path, "rb") as f:
            good = f.read()
        with open(path, "wb") as f:
            f.write(bad)
        r = subprocess.run([ISG, "serve", "-C", isg.dir], capture_output=True, text=True, timeout=120)
        ok(r.returncode == code and said in r.stderr, "%s: %d, %s" % (name, r.returncode, r.stderr.strip()[-200:]))
        with open(path, "wb") as f:
            f.write(good)


def names(isg):
    """What names nothing, and what would do nothing, is wrong usage and not a silent success."""
    for words in (("member", "show", ""), ("member", "set", b"\xff"), ("member", "suspend", ".."), ("feed", "run", ""),
                  ("feed", "remove", ".."), ("peer", "run", b"\xff"), ("webhook", "run", "."),
                  ("member", "token", "st-mary", "--list", "--label", "x"),
                  ("member", "token", "st-mary", "--revoke", "x", "--expires", "1h")):
        r = isg.run(*words, check=False)
        ok(r.returncode == 64 and r.stderr.startswith("isg %s: " % words[0]), "isg %s %s %r: %s" % (*words[:3], r.stderr.strip()))
    other = "2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11"
    r = isg.run("collection", "set", "indicators", "--id", other, check=False)
    ok(r.returncode == 65 and "`id`" in r.stderr, "a collection keeps its id: " + r.stderr.strip())
    wrong = os.path.join(isg.base, "wrong.pem")
    with open(wrong, "w") as f:
        f.write("no key")
    r = isg.run("verify", "--keys", wrong, wrong, check=False)
    ok(r.returncode == 65 and wrong in r.stderr, "a key that is none is named: " + r.stderr.strip())


def units(isg):
    """A number that is none is told what it may look like."""
    path = os.path.join(isg.base, "units.yaml")
    for line, words in (("limits: {page_max: ten}", "is not a number"), ("limits: {max_content_length: 5X}", "KiB"),
                        ("limits: {idle_timeout_ms: 1 day}", "30s"),
                        ("feeds: [{name: a, url: 'https://a.example/', format: kev, collection: b, interval: 1w}]", "24h")):
        with open(path, "w") as f:
            f.write(line + "\n")
        r = isg.run("check-config", path, check=False)
        ok(r.returncode == 78 and path + ":1: " in r.stderr and words in r.stderr, "%s: %s" % (line, r.stderr.strip()))


def shown_secrets(isg):
    """What others may read is told of at the start, at SIGHUP, and by the doctor."""
    key = os.path.join(isg.dir, "tls/server.key")
    os.chmod(key, 0o644)
    since = isg.log_end()
    isg.process.send_signal(signal.SIGHUP)
    ok(isg.awaited("secret.shown", since), "a key that others may read is told of")
    said = isg.run("doctor", check=False)
    ok(said.returncode == 1 and "readable by others" in said.stdout, "by the doctor too")
    os.chmod(key, 0o600)
    same(isg.run("doctor").returncode, 0, "and no more when it is private")


def running(isg):
    same(isg.run("init", isg.dir, "--listen", "127.0.0.1:1", check=False).returncode, 73,
         "init refuses an instance that is there")
    titles = [c["collection"]["title"] for c in isg.json("collection", "list")["collections"]]
    same(sorted(titles), ["advisories", "indicators", "submissions"], "the first collections")
    isg.member("st-mary", "hospital")
    result = isg.run("member", "add", "st-mary", "--kind", "hospital", check=False)
    same(result.returncode, 1, "a name that is taken")
    result = isg.run("member", "add", "x", "--kind", "nonsense", check=False)
    ok(result.returncode == 65 and "kind" in result.stderr, "a wrong kind: " + result.stderr.strip())
    same(isg.run("import", "--format", "stix", "--collection", "nowhere", os.devnull,
                 check=False).returncode != 0, True, "import into no collection")
    status = isg.json("status")
    ok(status["store"]["durable"] is True, "the private Redis is durable")
    same(isg.run("doctor").returncode, 0, "doctor finds nothing")
    shown_secrets(isg)
    names(isg)
    units(isg)
    same(isg.run("check-config").returncode, 0, "check-config of the instance")
    broken = os.path.join(isg.base, "broken.yaml")
    with open(os.path.join(isg.dir, "isg.yaml")) as f:
        text = f.read()
    with open(broken, "w") as f:
        f.write(text + "nonsense: 1\n")
    result = isg.run("check-config", broken, check=False)
    ok(result.returncode == 78 and "nonsense" in result.stderr, "an unknown key: " + result.stderr.strip())
    example = os.path.join(isg.base, "example.yaml")
    with open(example, "w") as f:
        f.write(isg.run("config", "example").stdout)
    result = isg.run("check-config", example, check=False)
    same(result.returncode, 0, "the example configuration is good: " + result.stderr.strip())
    same(isg.run("config", "show").returncode, 0, "config show")
    bundle = os.path.join(isg.base, "bundle.json")
    with open(bundle, "w") as f:
        json.dump({"type": "bundle", "id": "bundle--2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11",
                   "objects": [indicator(1, "clear"), indicator(2, confidence=101)]}, f)
    result = isg.run("import", "--format", "stix", "--collection", "indicators", bundle, check=False)
    ok(result.returncode == 65 and "/confidence" in result.stdout, "a refused object is named: " +
       result.stdout.strip().splitlines()[-1])
    facts = json.loads(isg.run("import", "--format", "stix", "--collection", "indicators", bundle,
                               "--json", check=False).stdout)
    same((facts["added"], facts["same"], facts["refused"]), (0, 1, 1), "a second import adds nothing")
    with open(isg.log) as f:
        ok(all(json.loads(line)["event"] for line in f), "the log is one JSON object a line")


instance = Instance()
starts(instance)
with instance as isg:
    exit_codes(isg.base)
    line_protocols()
    files(isg.base)
    terminals(isg.base)
    running(isg)
done()
