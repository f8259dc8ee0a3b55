#!/usr/bin/env python3
"""Tables and lists, imported twice: the second time nothing is new (feeds digest, 7.1)."""
import json
import os

from gateway import SOURCE, Instance, done, same

FIXTURES = os.path.join(SOURCE, "tests/fixtures/feeds")
# format, file, objects that are new the first time; the gateway's own identity is new once.
# Values set aside for documentation are left out, as in any import, and their number is told.
ROWS = [("sslbl", "sslbl/two.csv", 4), ("list", "list/hashes.txt", 9),
        ("threatfox", "threatfox/rows.csv", 2), ("suricata", "suricata/eve.jsonl", 0)]
LEFT_OUT = "# seen\n198.51.100.7\nbeacon.example\n10.0.0.1\n"


def left_out(isg):
    path = os.path.join(isg.base, "list.txt")
    with open(path, "w") as f:
        f.write(LEFT_OUT)
    words = ("--format", "list", path)
    facts = isg.json("import", "--collection", "indicators", *words)
    same((facts["excluded"], facts["unreadable"]), (3, 0), "import --json counts what is left out")
    same("3 left out" in isg.run("import", "--collection", "indicators", *words).stdout, True, "import says so")
    same("3 left out" in isg.run("convert", *words).stderr, True, "so does convert")


with Instance("The Owner") as isg:
    for name, path, new in ROWS:
        for added in (new, 0):
            result = isg.run("import", "--format", name, "--collection", "indicators",
                             os.path.join(FIXTURES, path), "--json")
            facts = json.loads(result.stdout)
            same((facts["added"], facts["refused"]), (added, 0), "%s: %s" % (path, facts))
    left_out(isg)
done()
