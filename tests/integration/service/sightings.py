#!/usr/bin/env python3
"""What sensors saw, compared with the indicators in store: one sighting an indicator and window, the
same whatever comes first and however often, and never of what its readers may not know."""
import json
import os
import uuid

from gateway import Instance, done, indicator, ok, same

URN = "urn:example:isao-gateway:sightings"
WINDOW = "2031-03-29T17:00:00.000Z"
SHA256 = "5f" * 32


def pattern(n, text, **more):
    return indicator(n, tlp=more.pop("tlp", "green"), pattern=text, **more)


MET = {
    "address": pattern(1, "[ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value = '192.0.2.99']"),
    "endpoint": pattern(2, "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]"),
    "network": pattern(3, "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", tlp="clear"),
    "domain": pattern(4, "[domain-name:value = 'bad.example']"),
    "strict": pattern(5, "[ipv4-addr:value = '198.51.100.7']", tlp="amber+strict"),
    "hash": pattern(6, "[file:hashes.'SHA-256' = '%s']" % SHA256),
    "source": pattern(7, "[network-traffic:src_ref.value = '203.0.113.9']"),
}
NAMED = pattern(8, "[url:value = 'http://bad.example/x']")
NOT_MET = [
    pattern(20, "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 8443]"),
    pattern(21, "[network-traffic:src_ref.value = '198.51.100.7']"),
    pattern(22, "[ipv4-addr:value = '198.51.100.7' AND ipv4-addr:x_a = 1]"),
    pattern(23, "[ipv4-addr:value = '198.51.100.7']", valid_until="2031-03-29T17:00:00Z"),
    pattern(24, "[ipv4-addr:value = '198.51.100.7']", valid_from="2031-03-29T18:00:00Z"),
    pattern(25, "[ipv4-addr:value = '198.51.100.7']", revoked=True),
    pattern(26, "[domain-name:value != 'bad.example']"),
]


def alert(time, source="192.168.0.2", target="198.51.100.7", port=443, sid=900001, **more):
    event = {"timestamp": "2031-03-29T" + time, "event_type": "alert", "src_ip": source, "src_port": 5000,
             "dest_ip": target, "dest_port": port, "proto": "TCP",
             "alert": {"gid": 1, "signature_id": sid, "rev": 1, "signature": "EXAMPLE", "category": "Bad",
                       **more.pop("alert", {})}}
    return {**event, **more}


EVENTS = [
    alert("17:01:00Z"), alert("17:02:00Z"), alert("17:03:00.25Z", port=22, sid=900002),
    alert("17:20:00Z"), # the next window
    alert("17:04:00Z", target="192.0.2.50", tls={"sni": "bad.example"}),
    alert("17:05:00Z", source="203.0.113.9", target="192.168.0.2"),
    alert("17:06:00Z", target="192.0.2.51", sid=1100000007,
          alert={"metadata": {"stix_id": [NAMED["id"]], "tlp": ["green"]}}),
    alert("17:07:00Z", target="192.0.2.52", alert={"metadata": {"stix_id": ["indicator--" + str(uuid.uuid4())]}}),
]
ZEEK = ("#separator \\x09\n#path\tintel\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"
        "seen.indicator\tseen.indicator_type\tsources\n"
        "1932570300.000000\tC1\t192.168.0.2\t5000\t192.0.2.60\t80\t%s\tIntel::FILE_HASH\tisao\n" % SHA256)


def take(isg, collection, format, text, *words):
    path = os.path.join(isg.base, "in." + format)
    with open(path, "w") as f:
        f.write(text)
    report = isg.json("import", "--format", format, "--collection", collection, "--exercise", *words, path)
    same((report["files_refused"], report["refused"]), (0, 0), "%s into %s: %s" % (format, collection, report))
    return report


def take_events(isg, collection, events, *words):
    return take(isg, collection, "suricata", "".join(json.dumps(e) + "\n" for e in events), *words)


def take_indicators(isg, collection, indicators):
    return take(isg, collection, "stix", json.dumps({"objects": indicators}))


def sightings(reader, collection):
    """By the indicator and the window."""
    objects, _ = reader.pull(collection, limit=500)
    there = {o["id"] for o in objects}
    found = {(o["sighting_of_ref"], o["created"]): o for o in objects if o["type"] == "sighting"}
    ok(all(set(o["observed_data_refs"]) <= there for o in found.values()), "their observations are there")
    return found


def without_versions(found):
    return {key: {**o, "modified": ""} for key, o in found.items()}


def whole(isg, seer):
    """Each kind of value, and all that a sighting says."""
    take_indicators(isg, "known", list(MET.values()) + [NAMED] + NOT_MET)
    take_events(isg, "seen", EVENTS)
    take(isg, "seen", "zeek", ZEEK)
    found = sightings(seer, "seen")
    second = "2031-03-29T17:15:00.000Z"
    want = {(MET[name]["id"], WINDOW) for name in MET} | {(NAMED["id"], WINDOW)} | {
        (MET[name]["id"], second) for name in ("address", "endpoint", "network", "strict")}
    same(set(found), want, "these indicators were sighted, and no others")
    one = found[MET["address"]["id"], WINDOW]
    where = one["where_sighted_refs"][0]
    space = uuid.uuid5(uuid.NAMESPACE_URL, URN)
    same(one["id"], "sighting--" + str(uuid.uuid5(space, "|".join(
        ("sighting", MET["address"]["id"], where, WINDOW)))), "the id is of indicator, place and window")
    same((one["count"], len(one["observed_data_refs"])), (3, 2), "events and observations are counted")
    same((one["first_seen"], one["last_seen"]), ("2031-03-29T17:01:00.000Z", "2031-03-29T17:03:00.250Z"), "when")
    objects = {o["id"]: o for o in seer.pull("seen", limit=500)[0]}
    same((objects[where]["type"], objects[where]["name"], one["created_by_ref"]), ("identity", "St. Mary", where),
         "whose sensor it was")
    same(found[MET["endpoint"]["id"], WINDOW]["count"], 2, "an endpoint is its port, too")
    same(found[MET["network"]["id"], WINDOW]["object_marking_refs"],
         ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"], "AMBER at least")
    same(found[MET["strict"]["id"], WINDOW]["object_marking_refs"],
         ["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"], "or as strict as the indicator")
    verdicts = isg.run("validate", "--strict", "--jsonl", "-", check=False,
                       stdin="".join(json.dumps(o) + "\n" for o in found.values())).stdout.splitlines()
    rules = {f["rule"] for v in map(json.loads, verdicts) for f in v["errors"] + v["warnings"]}
    same(rules - {"S-014"}, set(), "they pass the strict check")
    report = take_events(isg, "seen", EVENTS)
    same((report["added"], report["changed"]), (0, 0), "the same file again changes nothing")
    report = take_indicators(isg, "known", list(MET.values()))
    same((report["added"], report["changed"]), (0, 0), "nor do the same indicators")
    dry = isg.run("convert", "--format", "suricata", "--exercise", "-", stdin=json.dumps(EVENTS[0])).stdout
    same({o["type"] for o in json.loads(dry)["objects"]} - {"identity", "ipv4-addr", "network-traffic"},
         {"observed-data"}, "without a store there are observations only")


def order(isg, seer):
    """Files and indicators in any order, and in parts: the same sightings."""
    events = [e for e in EVENTS if e["alert"]["signature_id"] != 1100000007]
    some = [e for e in events if e["alert"]["signature_id"] == 900002 or e["dest_ip"] == "192.168.0.2"]
    parts = {"all": events, "some": some, "rest": [e for e in events if e not in some],
             "odd": events[1::2], "even": events[::2]} # the last two part events of one observation
    stores = []
    for n, steps in enumerate((("known", "all"), ("all", "known"), ("some", "known", "rest"),
                               ("even", "known", "odd", "all"))):
        name = "order%d" % n
        isg.collection(name)
        for step in steps:
            if step == "known":
                take_indicators(isg, name, list(MET.values()) + NOT_MET)
            else:
                take_events(isg, name, parts[step])
        stores.append(without_versions(sightings(seer, name)))
    same(len(stores[0]), 10, "with the sightings that are due")
    for other in stores[1:]:
        same(other, stores[0], "the same in another order")


def rights(isg, seer):
    """An indicator that not all may read is met in its own collection only; RED stays with its source."""
    secret = pattern(40, "[ipv4-addr:value = '192.0.2.70']")
    red = pattern(41, "[ipv4-addr:value = '192.0.2.71']", tlp="red")
    isg.collection("hidden", read="seer")
    isg.member("other", "hospital")
    take_indicators(isg, "hidden", [secret])
    take_indicators(isg, "known", [red])
    events = [alert("19:00:00Z", target="192.0.2.70"), alert("19:00:00Z", target="192.0.2.71")]
    take_events(isg, "mine", events, "--source", "other")
    same(sightings(seer, "mine"), {}, "what a member may not see it does not meet")
    take_events(isg, "seen", events)
    window = "2031-03-29T19:00:00.000Z"
    found = {key: o for key, o in sightings(seer, "seen").items() if key[1] == window}
    same(set(found), {(red["id"], window)}, "nor does a collection that others read meet a hidden one's")
    same(found[red["id"], window]["object_marking_refs"],
         ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"], "and RED stays RED")
    other = isg.client("other", "secret of other")
    ok(red["id"] not in json.dumps(other.pull("seen", limit=500)[0]), "so that others do not learn of it")
    take_events(isg, "hidden", events)
    ok((secret["id"], window) in sightings(seer, "hidden"), "its own readers are told")


def strict(isg, seer):
    """What was reported of a member's own host, RED, is not told by an indicator that comes later."""
    scan = ('"timestamp","severity","ip","protocol","port","hostname","tag","asn"\n'
            '"2031-05-02 08:04:37","high","192.0.2.80","tcp",104,"","dicom",64500\n')
    isg.collection("reports")
    ok(take(isg, "reports", "shadowserver", scan, "--source", "clinic")["added"] > 0, "it is there")
    take_indicators(isg, "reports", [pattern(50, "[ipv4-addr:value = '192.0.2.80']")])
    types = [o["type"] for o in seer.pull("reports", limit=500)[0]]
    same(("observed-data" in types, "sighting" in types), (True, False), "nothing is made of it")
    other = isg.client("other", "secret of other").pull("reports", limit=500)[0]
    same([o["type"] for o in other if o["type"] in ("observed-data", "sighting")], [], "and nobody else is told")


def large(isg, seer):
    """A pattern too long to be compared, which anybody who may write can bring, stops no sensor."""
    isg.collection("large")
    text = " OR ".join("file:size = %d" % n for n in range(420000))
    take_indicators(isg, "large", [pattern(60, "[%s]" % text), pattern(61, "[ipv4-addr:value = '192.0.2.90']")])
    take_events(isg, "large", [alert("20:00:00Z", target="192.0.2.90")])
    same({key[0] for key in sightings(seer, "large")}, {indicator(61)["id"]}, "the other is met")


def own(isg, seer):
    """What a member brings as its own makes no version of what the feeds' sensors saw."""
    isg.collection("shared")
    isg.member("ward", "hospital")
    take_indicators(isg, "shared", [pattern(70, "[ipv4-addr:value = '192.0.2.95']")])
    take_events(isg, "shared", [alert("21:00:00Z", target="192.0.2.95", sid=n) for n in (900001, 900002)])
    before = sightings(seer, "shared")
    take_events(isg, "shared", [alert("21:01:00Z", target="192.0.2.95", sid=900003)], "--source", "ward")
    objects = [o for o in seer.pull("shared", limit=500)[0] if o["type"] == "sighting"]
    same((len(before), len(objects)), (1, 2), "there are two then")
    ok(list(before.values())[0] in objects, "and the first is as it was")


with Instance("St. Mary", urn=URN) as isg:
    seer = isg.member("seer", "isao_staff")
    for title in ("known", "seen", "mine"):
        isg.collection(title)
    whole(isg, seer)
    order(isg, seer)
    rights(isg, seer)
    strict(isg, seer)
    large(isg, seer)
    own(isg, seer)
done()
