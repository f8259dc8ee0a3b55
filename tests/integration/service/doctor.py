#!/usr/bin/env python3
"""What `isg doctor` and `isg status` say when something around the service is wrong: the truth, and what to do."""
import json
import os
import subprocess
import time

from gateway import Instance, Redis, done, indicator, ok, same


def doctor(isg):
    """The checks that are not ok, by name; the exit code has to fit them. A machine may have little disk."""
    said = isg.run("doctor", "--json", check=False)
    checks = {c["check"]: c for c in json.loads(said.stdout)["checks"] if c["level"] != "ok"}
    same(said.returncode, 1 if checks else 0, "exit %d with %s" % (said.returncode, sorted(checks)))
    return {name: check for name, check in checks.items() if name != "disk"}


def says(isg, check, level, *words):
    """Exactly one check complains, in these words, and with a hint."""
    checks = doctor(isg)
    found = checks.get(check, {})
    ok(list(checks) == [check] and found["level"] == level and all(w in found["text"] for w in words) and
       found.get("hint"), "%s: %s" % (check, checks))


def check_redis(isg, redis):
    rows = [("appendonly", "no", "yes"), ("appendfsync", "everysec", "always"),
            ("maxmemory-policy", "allkeys-lru", "noeviction")]
    redis.tell("config", "set", "maxmemory", "4gb")
    for setting, bad, good in rows:
        redis.tell("config", "set", setting, bad)
        says(isg, "store", "error", "not durable", "%s is %s" % (setting, bad))
        redis.tell("config", "set", setting, good)
    same(doctor(isg), {}, "all is well again")


def check_files(isg):
    paths = {"instance secret": "secrets/instance.secret", "signing key": "keys/content.key",
             "tls key": "tls/server.key", "key passphrase": "secrets/keys.pass"}
    for name, below in paths.items():
        path = os.path.join(isg.dir, below)
        os.chmod(path, 0o640)
        says(isg, name, "error", path, "readable by others")
        os.chmod(path, 0o600)
        os.rename(path, path + ".away")
        says(isg, name, "error", path, "is missing")
        os.rename(path + ".away", path)


def check_folder(isg):
    os.chmod(isg.dir, 0o770)
    says(isg, "folder", "error", isg.dir, "changed by others")
    os.chmod(isg.dir, 0o700)


def check_certificate(isg):
    path, template = os.path.join(isg.dir, "tls/server.pem"), os.path.join(isg.base, "template")
    with open(path) as f:
        good = f.read()
    rows = [('activation_date = "2020-01-01"\nexpiration_date = "2021-01-01"\n', "error", "ended 2021-01-01"),
            ("expiration_days = 9\n", "warning", "ends soon"),
            ('activation_date = "2100-01-01"\nexpiration_date = "2101-01-01"\n', "error", "good from 2100-01-01")]
    for dates, level, word in rows:
        with open(template, "w") as f:
            f.write('cn = "x"\n' + dates)
        subprocess.run(["certtool", "--generate-self-signed", "--load-privkey", os.path.join(isg.dir, "tls/server.key"),
                        "--template", template, "--outfile", path], check=True, capture_output=True)
        says(isg, "tls certificate", level, path, word)
    for bad in ("", "nonsense"):
        with open(path, "w") as f:
            f.write(bad)
        says(isg, "tls certificate", "error", path)
    with open(path, "w") as f:
        f.write(good)
    same(doctor(isg), {}, "the first one is good")


def check_clock(isg, redis):
    """Dates only rise: a clock that was set back is behind what the store holds."""
    isg.collection("dated")
    same(isg.member("staff-1", "isao_staff").push("dated", [indicator(1)]).status, 202, "an object")
    ids = {c["collection"]["title"]: c["collection"]["id"] for c in isg.json("collection", "list")["collections"]}
    key = "isg:{c:%s}:head" % ids["dated"]
    head = redis.cli("--raw", "get", key).split()
    head[1] = str((int(time.time()) + 3600) * 1000000)
    redis.tell("set", key, " ".join(head))
    says(isg, "clock", "error", "behind the newest object")


def check_down(isg, redis):
    """Without Redis nothing is said that is not known."""
    redis.stop()
    checks = doctor(isg)
    ok({"store", "breaker", "collection"} <= set(checks), "the doctor says who does not answer: %s" % sorted(checks))
    said = isg.run("wait", "--timeout", "0", check=False)
    reason = said.stderr.strip().partition("isg wait: ")[2]
    ok(said.returncode == 75 and reason not in ("", "store not available"), "isg wait says what it waits for: " + reason)
    for words in (("status",), ("collection", "list")):
        rows = [line for line in isg.run(*words).stdout.splitlines() if line.endswith(" events")]
        ok(rows and all(line.endswith(" ? events") for line in rows), "isg %s: %s" % (" ".join(words), rows[:1]))


with Redis() as redis, Instance(redis=redis.url) as isg:
    same(doctor(isg), {}, "nothing is wrong")
    check_redis(isg, redis)
    check_files(isg)
    check_folder(isg)
    check_certificate(isg)
    check_clock(isg, redis)
    check_down(isg, redis)
done()
