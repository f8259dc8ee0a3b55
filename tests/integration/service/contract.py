#!/usr/bin/env python3
"""What scripts rely on: words in any order, JSON that parses, exit codes, files never half written."""
import gzip
import json
import os
import shutil
import subprocess

from gateway import ISG, SOURCE, Instance, corpus, done, free_port, indicator, ok, same

KEV = os.path.join(SOURCE, "tests/fixtures/feeds/kev/three.json")


def raw(*words, stdin=None, out=subprocess.PIPE, env=None):
    r = subprocess.run([ISG, *words], stdout=out, stderr=subprocess.PIPE, text=True, input=stdin,
                       timeout=120, env=dict(os.environ, **(env or {})))
    return r.returncode, r.stdout, r.stderr


def words(isg):
    orders = [("-C", isg.dir, "member", "list", "--json"), ("--json", "member", "-C", isg.dir, "list"),
              ("member", "--json", "list", "-C", isg.dir), ("member", "list", "-C", isg.dir, "--json")]
    for order in orders:
        code, out, _ = raw(*order)
        ok(code == 0 and "members" in json.loads(out), "isg " + " ".join(
            "DIR" if w == isg.dir else w for w in order))
    same(raw("--timeout", "5", "wait", "-C", isg.dir)[0], 0, "an option with its value comes first")
    same(raw("wait", "--timeout", "0", "-C", isg.dir)[0], 0, "wait --timeout 0 of a running service")
    same(raw("wait", "--timeout=0", "-C", isg.base)[0], 75, "and of none")
    for command in ("validate", "export", "feed", "config"):
        same(raw(command, "-h")[0], 0, "%s -h" % command)
    same((raw("help")[1], raw("help", "import")[1]), (raw("--help")[1], raw("import", "--help")[1]),
         "isg help, with a command and without")
    code, _, err = raw("--nonsense")
    ok(code == 64 and "--nonsense" in err, "an unknown option before any command")
    with open("/dev/full", "w") as full:
        same(raw("canon", KEV, out=full)[0], 74, "standard output on a full disk")
        same(raw("member", "list", "-C", isg.dir, "--json", out=full)[0], 74, "of a request, too")


def json_everywhere(isg):
    target = os.path.join(isg.base, "of --json")
    rows = [("status",), ("doctor",), ("member", "list"), ("collection", "list"), ("feed", "list"),
            ("feed", "status"), ("config", "show"), ("config", "reference"), ("config", "example"),
            ("check-config",), ("key", "list"), ("key", "export", "--form", "minisign"),
            ("key", "fingerprint"), ("member", "token", "maker"), ("member", "show", "maker"),
            ("export", "--collection", "indicators", "-o", target), ("verify", target),
            ("import", "--format", "kev", "--collection", "advisories", "--dry-run", KEV),
            ("convert", "--format", "kev", KEV), ("pattern", "check", "[a:b = 1]")]
    for row in rows:
        isg.json(*row)
        ok(True, "isg %s --json is JSON" % " ".join(row[:2]))
    shown = {row["setting"]: row for row in isg.json("config", "show")}
    same((shown["limits.page_max"]["value"], shown["limits.page_max"]["origin"]), (1000, "default"),
         "config show tells origins")
    same(shown["listen"]["origin"], "file", "of the file")
    code, out, _ = raw("config", "show", "--json", "-C", isg.dir, env={"ISG_LIMITS_PAGE_MAX": "7"})
    row = [r for r in json.loads(out) if r["setting"] == "limits.page_max"][0]
    same((row["value"], row["origin"], row["variable"]), (7, "env", "ISG_LIMITS_PAGE_MAX"),
         "and of the environment")


def validated_files(base):
    rows = [('a "quoted\\name".json', json.dumps(indicator(1)), 0, True), ("no JSON.json", '{"a', 65, False)]
    for name, text, want, valid in rows:
        path = os.path.join(base, name)
        with open(path, "w") as f:
            f.write(text)
        code, out, err = raw("validate", "--json", path)
        facts = json.loads(out)
        same((code, facts["file"], facts["valid"]), (want, path, valid), "validate --json of " + name)
        same(err.count(name), 0 if valid else 1, "standard error names a file that fails, once")


def members(isg):
    path = os.path.join(isg.base, "crlf.pw")
    with open(path, "w", newline="") as f:
        f.write("a long secret\r\n")
    isg.run("member", "add", "windows", "--kind", "hospital", "--password-file", path)
    same(isg.client("windows", "a long secret").get("/taxii2/").status, 200,
         "a password file with CR LF at its end")
    with open(path, "w") as f:
        f.write("pa\n")
    result = isg.run("member", "add", "hasty", "--kind", "hospital", "--password-file", path)
    ok("warning" in result.stderr, "a short password is taken with a warning")
    same(isg.client("hasty", "pa").get("/taxii2/").status, 200, "and is good")
    isg.run("member", "set", "windows", "--title", 'The "W" clinic')
    same(isg.json("member", "show", "windows")["title"], 'The "W" clinic', "set and show")
    same(isg.client("windows", "a long secret").get("/taxii2/").status, 200, "set keeps the password")
    with open(path, "w") as f:
        f.write("canary\x07")
    result = isg.run("member", "set", "windows", "--password-file", path, check=False)
    ok(result.returncode == 65 and "canary" not in result.stderr, "a bell in it: " +
       result.stderr.strip())
    isg.run("collection", "add", "--title", "twin", "--handling", "relay")
    isg.run("collection", "add", "--title", "twin", "--alias", "t2", "--handling", "relay")
    same(isg.run("collection", "set", "twin", "--description", "x", check=False).returncode, 1,
         "a title of two collections names neither")
    same(isg.json("collection", "set", "t2", "--description", "x")["description"], "x", "the alias does")
    same(isg.run("collection", "add", "--title", "third", "--alias", "t2", "--handling", "relay",
                 check=False).returncode, 1, "an alias is taken once")


def instances(base):
    rows = [(("--listen", "nonsense"), 64), (("--listen", "127.0.0.1:0"), 64),
            (("--listen", "127.0.0.1:99999"), 64), (("--listen", ":8443"), 64),
            (("--listen", "127.0.0.1:1", "--public-url", "ftp://gateway.example"), 64),
            (("--listen", "127.0.0.1:1", "--public-url", ""), 64),
            (("--listen", "127.0.0.1:1", "--public-url", "https://gateway.example:99999"), 64),
            (("--listen", "127.0.0.1:1", "--public-url", "https://%s.example" % ("a" * 600)), 64),
            (("--listen", "0.0.0.0:8443"), 64), (("--listen", "[::]:8443"), 64),
            (("--listen", "127.0.0.1:1", "--name", ""), 64)]
    for row, code in rows:
        target = os.path.join(base, "not made")
        same((raw("init", target, *row)[0], os.path.exists(target)), (code, False),
             "init %s makes nothing" % " ".join(row))
    ok("--name" in raw("init", target, *rows[-1][0])[2], "an empty name is called so")
    for there in ("redis", "state", "public"):  # files where folders should be
        os.mkdir(target)
        for name in (there, "mine"):
            with open(os.path.join(target, name), "w") as f:
                f.write("mine")
        code, _, err = raw("init", target, "--listen", "127.0.0.1:1")
        same((code, there in err, sorted(os.listdir(target))), (73, True, sorted((there, "mine"))),
             "init that fails half-way leaves what was there: " + err.strip()[-40:])
        shutil.rmtree(target)
    os.makedirs(os.path.join(target, "keys", "content.key"))
    code, _, err = raw("init", target, "--listen", "127.0.0.1:1")
    same((code != 0, os.listdir(target), os.listdir(os.path.join(target, "keys"))),
         (True, ["keys"], ["content.key"]), "also behind its keys: " + err.strip()[-40:])
    shutil.rmtree(target)
    target = os.path.join(base, "behind a name")
    raw("init", target, "--listen", "0.0.0.0:8443", "--public-url", "https://gateway.example:444/",
        "--name", "x" + "\u00e4" * 40)
    shown = subprocess.run(["openssl", "x509", "-in", os.path.join(target, "tls", "server.pem"), "-noout",
                            "-ext", "subjectAltName", "-subject"], capture_output=True, text=True).stdout
    ok("DNS:gateway.example," in shown and "IP Address:0.0.0.0," in shown,
       "the certificate names the host of the public URL: %s" % shown[:100])
    ok("O = x\\C3\\A4" in shown, "and a long name is not cut within a character")
    target = os.path.join(base, "a wrong one")
    raw("init", target, "--listen", "127.0.0.1:%d" % free_port())
    with open(os.path.join(target, "isg.yaml"), "a") as f:
        f.write("limits:\n  page_max: 0\n")
    for row in (("serve",), ("status",), ("wait", "--timeout", "0"), ("config", "show"),
                ("check-config",), ("import", "--format", "kev", "--collection", "c", KEV)):
        code, _, err = raw(*row, "-C", target)
        ok(code == 78 and "isg.yaml:" in err and "page_max" in err, "a wrong configuration, %s: %s" % (
            row[0], err.strip()[-60:]))
    code, out, _ = raw("check-config", "--json", "-C", target)
    same((code, json.loads(out)["valid"]), (78, False), "check-config --json of it")


def refused_files(isg):
    with open(KEV, "rb") as f:
        good = f.read()
    rows = [("cut.json", good[:-40], "S-001"), ("page.json", b"<html>log in</html>", "HTML"),
            ("packed.json", gzip.compress(good)[:-20], "cut short"), ("empty.json", b"", "empty"),
            ("other.json", b"{}", "KEV")]
    for name, text, why in rows:
        path = os.path.join(isg.base, name)
        with open(path, "wb") as f:
            f.write(text)
        target = os.path.join(isg.base, "target.json")
        code, _, err = raw("convert", "--format", "kev", path, "-o", target)
        ok(code == 65 and name in err and why in err and not os.path.exists(target),
           "convert refuses %s" % err.strip().replace(isg.base, ""))
        result = isg.run("import", "--format", "kev", "--collection", "advisories", path, "--json",
                         check=False)
        facts = json.loads(result.stdout)
        same((result.returncode, facts["files_refused"], facts["total"], name in result.stderr),
             (65, 1, 0, True), "import refuses it whole")


def makers(bundle):
    return sorted((o["id"], o.get("created_by_ref"), o.get("modified")) for o in bundle["objects"])


def mapped_files(isg):
    one = isg.run("convert", "--format", "kev", KEV).stdout
    same(isg.run("convert", "--format", "kev", KEV).stdout, one, "one file gives one bundle")
    with open(KEV) as f:
        same(isg.run("convert", "--format", "kev", "-", stdin=f.read()).stdout, one, "from a pipe, too")
    target = os.path.join(isg.base, "k.json")
    isg.run("convert", "--format", "kev", KEV, "-o", target)
    with open(target) as f:
        same(f.read(), one.rstrip("\n"), "and with -o")
    code, _, err = raw("convert", "--format", "kev", KEV, "-o", "/dev/full")
    ok(code == 74 and "No space" in err, "-o on a full device: " + err.strip())
    ok(not os.path.isfile("/dev/full"), "which stays a device")
    with open(target, "w") as f:
        same(raw("-C", isg.dir, "convert", "--format", "kev", KEV, "-o", "/proc/self/fd/1", out=f)[0], 0,
             "-o names what standard output was led to")
    with open(target) as f:
        same(f.read(), one.rstrip("\n"), "which gets it")
    empty = os.path.join(isg.base, "empty folder")
    os.mkdir(empty)
    result = isg.run("import", "--format", "kev", "--collection", "advisories", empty, check=False)
    ok(result.returncode == 65 and "no .json file" in result.stderr, "a folder without files")
    dry = isg.json("import", "--format", "kev", "--collection", "advisories", "--dry-run", KEV)
    real = isg.json("import", "--format", "kev", "--collection", "advisories", KEV)
    again = isg.json("import", "--format", "kev", "--collection", "advisories", KEV)
    same((dry["total"], dry["added"]), (real["total"], real["added"]), "a dry run foretells")
    same((again["added"], again["same"]), (0, real["total"]), "a second run adds nothing")
    isg.run("export", "--collection", "advisories", "-o", target)
    with open(target) as f:
        stored = makers(json.load(f))
    same(stored, makers(json.loads(one)), "convert prints the objects that import stores, owner and all")
    ok("The Owner" in one, "and the owner is the instance's name")


def forms_of_files(isg):
    """A filter, packed files, tables in UTF-16, others' STIX with a fault, what an archive may hold."""
    one = isg.run("convert", "--format", "kev", KEV).stdout
    with open(KEV) as f:
        text = f.read()
    same(isg.run("convert", "--format", "kev", stdin=text).stdout, one, "without FILE it is a filter")
    folder = os.path.join(isg.base, "unpacked archive")
    os.mkdir(folder)
    path = os.path.join(folder, "k.json")
    with open(path, "wb") as f:
        f.write(gzip.compress(text.encode()))
    same(isg.run("convert", "--format", "kev", path).stdout, one, "a packed file is unpacked")
    table = os.path.join(isg.base, "table.csv")
    for charset in ("utf-8-sig", "utf-16", "utf-16-be"):
        with open(table, "w", encoding=charset) as f:
            f.write(("\ufeff" if charset == "utf-16-be" else "") + "indicator,tags\r\nevil.invented.net,\u00e4\r\n")
        out = isg.run("convert", "--format", "csv", table).stdout
        ok("'evil.invented.net'" in out and "csv:\u00e4" in out, "a table in " + charset)
    good = {"type": "identity", "spec_version": "2.1", "id": "identity--11111111-1111-4111-8111-111111111101",
            "created": "2024-05-01T08:00:00.000Z", "modified": "2024-05-01T08:00:00.000Z", "name": "Ward"}
    bundle = {"type": "bundle", "id": "bundle--11111111-1111-4111-8111-111111111102",
              "objects": [good, dict(good, id="identity--7", name=7), {"type": "bundle", "id": "x"}]}
    result = isg.run("convert", "--format", "stix", stdin=json.dumps(bundle), check=False)
    same((result.returncode, json.loads(result.stdout)["objects"]), (65, [good]), "what is wrong stays out")
    ok("identity--7: /id: " in result.stderr and "(S-013)" in result.stderr and "S-086" in result.stderr,
       "and is named, with path and rule: " + result.stderr.strip()[-200:])
    result = isg.run("convert", "--format", "stix", stdin="<stix:STIX_Package/>", check=False)
    ok(result.returncode == 65 and "STIX 1" in result.stderr, "STIX 1 is told from broken JSON")
    os.symlink("/etc/passwd", os.path.join(folder, "link.json"))
    os.symlink(KEV, os.path.join(folder, "to-a-good-one.json"))
    os.mkfifo(os.path.join(folder, "pipe.json"))
    os.mkdir(os.path.join(folder, "folder.json"))
    result = isg.run("import", "--format", "kev", "--collection", "advisories", "--json", folder, check=False)
    facts = json.loads(result.stdout)
    same((result.returncode, facts["files"], facts["files_refused"]), (65, 5, 4),
         "an archive's links, pipes and folders are refused (R-107)")
    ok(facts["total"] > 0 and "link.json: a link" in result.stderr and "R-107" in result.stderr
       and "root:" not in result.stderr, "its files are read: " + result.stderr.strip()[:160])


def exports(isg):
    folder = os.path.join(isg.base, "a folder")
    os.mkdir(folder)
    target = os.path.join(folder, "of signed things.json")
    same(isg.json("export", "--collection", "t2", "-o", target)["objects"], 0, "an empty export")
    same(isg.run("verify", target).stdout.startswith("OK"), True, "verifies")
    rows = [(("--collection", "t2", "--as", "windows", "-o", target + "2"), 77),
            (("--collection", "t2", "--as", "nobody", "-o", target + "2"), 1),
            (("--collection", "nowhere", "-o", target + "2"), 1),
            (("--collection", "advisories", "-o", "/proc/x.json"), 74),
            (("--collection", "advisories", "-o", folder), 74),
            (("--collection", "advisories", "-o", "-"), 64),
            (("--collection", "advisories", "--format", "nonsense", "-o", target + "2"), 64)]
    for row, code in rows:
        result = isg.run("export", *row, check=False)
        same((result.returncode, ".part" in result.stderr), (code, False), "export %s: %s" % (
            " ".join(row[:3:2]), result.stderr.strip().replace(isg.base, "")))
    same(sorted(os.listdir(folder)), sorted("of signed things.json" + s for s in (
        "", ".jws", ".minisig", ".objects")), "nothing half written is left")
    target = os.path.join(folder, "at once.json")
    running = [subprocess.Popen([ISG, "export", "-C", isg.dir, "--collection", "advisories", "-o", target],
                                stdout=subprocess.DEVNULL) for _ in range(4)]
    ok(0 in [p.wait(120) for p in running], "four exports to one name at once")
    same(isg.run("verify", target, check=False).returncode, 0, "leave one that holds")
    isg.run("key", "export", "--form", "jwk")
    forms = {"pem": "k.pem", "minisign": "k.pub", "jwk": "k.jwk"}
    for form, name in forms.items():
        path = os.path.join(isg.base, name)
        with open(path, "w") as f:
            f.write(isg.run("key", "export", "--form", form).stdout)
        same(isg.run("verify", target, "--keys", path).returncode, 0, "verify with a key as " + form)
    for at, code in (("2099-01-01T00:00:00Z", "E_EXPIRED"), ("2020-01-01T00:00:00Z", "E_NOT_YET")):
        result = isg.run("verify", target, "--at", at, check=False)
        same((result.returncode, result.stdout.split()[0]), (1, code), "verify --at " + at)
    same(isg.run("verify", target, "--at", "yesterday", check=False).returncode, 64, "--at yesterday")
    alone = os.path.join(isg.base, "alone.json.jws")
    shutil.copy(target + ".jws", alone)
    same(isg.run("verify", alone).stdout.split()[0], "OK", "a statement that stands alone")
    result = isg.run("verify", alone, "--type", "head", check=False)
    same((result.returncode, result.stdout.split()[0]), (1, "E_TYP"), "of another kind")
    same(isg.run("verify", alone, "--type", "nonsense", check=False).returncode, 64, "of no kind")


def vectors():
    """Each row of the signing vectors that is about one file."""
    folder = corpus("signing/vectors")
    if folder is None:
        ok(True, "signing vectors # SKIP corpus is not there")
        return
    key = os.path.join(folder, "pub/content-a.pem")
    made = "2024-03-03T12:46:40Z"
    later = {"at 1709600000": "2024-03-05T00:53:20Z", "at 1709460000": "2024-03-03T10:00:00Z"}
    with open(os.path.join(folder, "cases.tsv")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    rules = ("E_EQUIVOCATION", "E_FAST_FORWARD", "E_ROLLBACK") # of a sequence, not of one file
    for case, _, want, *_ in rows:
        name, _, rest = case.partition(" ")
        if not name.endswith((".jws", ".minisig")) or want in rules or "with" in rest:
            continue
        code, out, err = raw("verify", os.path.join(folder, name), "--keys", key, "--at",
                             later.get(rest, made))
        same((out + err).split()[0], want, "vector %s: %s" % (case, want))


with Instance("The Owner") as isg:
    isg.member("maker", "mdm")
    isg.run("import", "--format", "stix", "--collection", "indicators", "-",
            stdin=json.dumps(indicator(1, "clear")))
    words(isg)
    validated_files(isg.base)
    members(isg)
    refused_files(isg)
    mapped_files(isg)
    forms_of_files(isg)
    json_everywhere(isg)
    exports(isg)
    instances(isg.base)
    vectors()
done()
