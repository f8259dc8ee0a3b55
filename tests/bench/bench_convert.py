#!/usr/bin/env python3
"""What converting each source of the corpus costs, against json-c's parse of the objects produced.

    CONVERT=build/release/tests/bench/convert_feed tests/bench/bench_convert.py CORPUS

The bound of a conversion: three times that parse, plus the check of the objects.
"""
import glob
import json
import os
import subprocess
import sys

SOURCES = [
    ("kev", ["feeds/kev/kev-2025-08-25.json"]), ("nvd", ["feeds/nvd/cves-2023.json"]),
    ("csaf", ["medical/csaf-icsma/*.json"]), ("stix", ["feeds/stix20-21-pairs/v2.0/*.json"]),
    ("suricata", ["feeds/suricata/*.json"]),
    ("zeek", ["feeds/zeek/conn.log", "feeds/zeek/dns.log", "feeds/zeek/files.log", "feeds/zeek/json_files.log"]),
    ("zeek-intel", ["feeds/zeek/intel_example.intel"]),
    ("urlhaus", ["feeds/abusech/urlhaus-api-recent.ndjson"]),
    ("threatfox", ["feeds/abusech/threatfox-api.ndjson"]), ("feodo", ["feeds/abusech/feodo-ipblocklist.json"]),
    ("spamhaus", ["feeds/blocklists/old_spamhaus_drop.lasso"]), ("dshield", ["feeds/blocklists/dshield_block.txt"]),
    ("shadowserver", ["feeds/shadowserver/report_type_device_id.json"]),
]


def measure(format, files):
    words = [os.environ["CONVERT"], format, *files]
    return json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)


def main(corpus):
    print("| source | files | bytes in | objects | bytes out | objects/s | times json-c | with its check allowed | used |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    worst = 0
    for format, patterns in SOURCES:
        files = [f for p in patterns for f in sorted(glob.glob(os.path.join(corpus, p)))]
        m = measure(format, files[:256])
        allowed = 3 * m["parse_us"] + m["check_us"]
        worst = max(worst, m["convert_us"] / allowed)
        print("| %s | %d | %d | %d | %d | %d | %.2f | %.2f | %.0f %% |" % (
            format, len(files), m["bytes"], m["objects"], m["out"], m["objects"] / m["convert_us"] * 1e6,
            m["convert_us"] / m["parse_us"], allowed / m["parse_us"], 100 * m["convert_us"] / allowed))
    print("\nthe dearest uses %.0f %% of what is allowed" % (100 * worst))


main(sys.argv[1])
