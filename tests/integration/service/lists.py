#!/usr/bin/env python3
"""Tables and lists, imported twice: the second time nothing is new (feeds digest, 7.1)."""
import json
import os

from gateway import SOURCE, Instance, done, same

FIXTURES = os.path.join(SOURCE, "tests/fixtures/feeds")
# format, file, objects that are new the first time; the gateway's own identity is new once.
# Values set aside for documentation are left out, as in any import.
ROWS = [("sslbl", "sslbl/two.csv", 4), ("list", "list/hashes.txt", 9),
        ("threatfox", "threatfox/rows.csv", 2), ("suricata", "suricata/eve.jsonl", 0)]

with Instance("The Owner") as isg:
    for name, path, new in ROWS:
        for added in (new, 0):
            result = isg.run("import", "--format", name, "--collection", "indicators",
                             os.path.join(FIXTURES, path), "--json")
            facts = json.loads(result.stdout)
            same((facts["added"], facts["refused"]), (added, 0), "%s: %s" % (path, facts))
done()
