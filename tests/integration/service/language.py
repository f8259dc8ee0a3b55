#!/usr/bin/env python3
"""libstix behind the command: the wire forms of validate, id and canon, line by line.

The rules themselves are cases of unit.stix.check; here are the traps that small implementations
miss and the mistakes of the reference tools, through the program as others will drive it.
"""
import copy
import json
import os
import subprocess
import tempfile

from gateway import ISG, done, ok, same

T1, T2 = "2024-05-01T08:00:00.000Z", "2024-05-02T08:00:00.000Z"
UUID = "11111111-1111-4111-8111-1111111111"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"


def run(*words, data):
    r = subprocess.run([ISG, *words], input=data, capture_output=True, timeout=120)
    return r.returncode, [json.loads(line) for line in r.stdout.splitlines()]


def validate(*words, values):
    return run("validate", "--jsonl", "-", *words,
               data=b"".join(json.dumps(v).encode() + b"\n" for v in values))[1]


def ref(kind, n=1):
    return "%s--%s%02d" % (kind, UUID, n)


def sdo(kind, **more):
    return {"type": kind, "spec_version": "2.1", "id": ref(kind), "created": T1, "modified": T1,
            **more}


def sco(kind, **more):
    return {"type": kind, "spec_version": "2.1", "id": ref(kind), **more}


def bundle(*objects, **more):
    return {"type": "bundle", "id": ref("bundle"), "objects": list(objects), **more}


IDENTITY = sdo("identity", name="Example Hospital", identity_class="organization")
INDICATOR = sdo("indicator", name="a", description="a", indicator_types=["malicious-activity"],
                pattern="[ipv4-addr:value = '198.51.100.7']", pattern_type="stix", valid_from=T1)
MALWARE = sdo("malware", name="a", is_family=True, malware_types=["worm"])
OBSERVED = sdo("observed-data", first_observed=T1, last_observed=T1, number_observed=1)
STATEMENT = {"type": "marking-definition", "spec_version": "2.1", "id": ref("marking-definition"),
             "created": T1, "definition_type": "statement", "definition": {"statement": "a"}}
DEFINITION = sdo("extension-definition", name="a", description="a", schema="a", version="1.0.0",
                 extension_types=["property-extension"], created_by_ref=ref("identity"))
FILE = sco("file", name="a.exe")
TRAFFIC = sco("network-traffic", protocols=["ipv4", "tcp"], src_ref=ref("ipv4-addr"))
KEY = sco("windows-registry-key", key="HKEY_LOCAL_MACHINE\\Software\\HKU\\HKLM")
SIGHTING = sdo("sighting", sighting_of_ref=ref("indicator"))


def but(value, **change):
    """A copy with members set; None takes one away."""
    value = copy.deepcopy(value)
    value.update(change)
    return {k: v for k, v in value.items() if v is not None}


def marked(**marking):
    return but(IDENTITY, granular_markings=[marking])


# What the committee's validator lets pass or refuses, against the text: (what, value, rule).
# rule None: the text allows it.
MISTAKES = [
    ("defanged on a domain object", but(IDENTITY, defanged=True), "S-031"),
    ("created by no identity", but(IDENTITY, created_by_ref=ref("malware")), "S-025"),
    ("marked by no marking", but(IDENTITY, object_marking_refs=[ref("identity")]), "S-025"),
    ("a reserved name", but(IDENTITY, phone_number="1"), "S-030"),
    ("251 characters of name", but(IDENTITY, **{"x" * 251: 1}), "S-017"),
    ("250 characters of name", but(IDENTITY, **{"x" * 250: 1}), None),
    ("a selector into a string", marked(selectors=["name.[0]"], marking_ref=GREEN), "S-074"),
    ("lang and marking_ref", marked(selectors=["name"], marking_ref=GREEN, lang="en"), "S-073"),
    ("lang alone", marked(selectors=["name"], lang="en"), None),
    ("a sample that is a url", but(MALWARE, sample_refs=[ref("url")]), "S-130"),
    ("observed a relation only", but(OBSERVED, object_refs=[ref("relationship")]), "S-040"),
    ("observed a domain object", but(OBSERVED, object_refs=[ref("file"), ref("malware")]), "S-040"),
    ("a report of a bundle",
     sdo("report", name="a", published=T1, object_refs=[ref("bundle")]), "S-045"),
    ("a sighting of an observable", but(SIGHTING, sighting_of_ref=ref("file")), "S-051"),
    ("2^53", but(FILE, size=2 ** 53), "S-005"),
    ("2^53 - 1", but(FILE, size=2 ** 53 - 1), None),
    ("name_enc without name", but(FILE, name=None, hashes={"MD5": "0" * 32}, name_enc="UTF-8"),
     "S-018"),
    ("capitals in hex", but(FILE, magic_number_hex="FF"), "S-012"),
    ("a file as directory", but(FILE, parent_directory_ref=ref("file", 2)), "S-130"),
    ("traffic from a url", but(TRAFFIC, src_ref=ref("url")), "S-130"),
    ("a marking that is modified", but(STATEMENT, modified=T1), "S-067"),
    ("an extension of nobody", but(DEFINITION, created_by_ref=None), "S-078"),
    ("nothing in a bundle", bundle(), "S-003"),
    ("a bundle in a bundle", bundle(bundle(IDENTITY)), "S-086"),
    ("seven digits of the same instant",
     but(IDENTITY, created="2024-05-01T08:00:00.100Z", modified="2024-05-01T08:00:00.1000000Z"),
     None),
    ("valid a nanosecond", but(INDICATOR, valid_from="2024-05-01T08:00:00.000000001Z",
                               valid_until="2024-05-01T08:00:00.000000002Z"), None),
    ("valid no time", but(INDICATOR, valid_until="2024-05-01T08:00:00.0Z"), "S-035"),
    ("an object of a container alone", {"type": "ipv4-addr", "value": "198.51.100.7"}, "S-013"),
    ("HKU and HKLM within a key", KEY, None),
    ("an abbreviated hive", but(KEY, key="HKLM\\Software"), "S-061"),
    ("a wrong time in a container",
     but(OBSERVED, objects={"0": {"type": "file", "name": "a", "ctime": "2024-02-30T00:00:00Z"}}),
     "S-007"),
    ("another spelling of cve",
     sdo("vulnerability", name="a", external_references=[{"source_name": "CVE",
                                                         "external_id": "none"}]), None),
    ("a lower-case cve id",
     sdo("vulnerability", name="a", external_references=[{"source_name": "cve",
                                                         "external_id": "cve-2024-1234"}]),
     "S-021"),
]


def mistakes():
    answers = validate(values=[value for _, value, _ in MISTAKES])
    for (what, _, rule), answer in zip(MISTAKES, answers):
        rules = sorted({e["rule"] for e in answer["errors"]})
        ok(answer["valid"] is (rule is None) and (rule is None or rule in rules),
           "%s: %s" % (what, rule or "allowed")) or print("#", answer)


def hostile_lines():
    """Whatever a line holds, it has one answer, and the next line is judged as ever."""
    good = json.dumps(IDENTITY).encode()
    lines = [b"", b"   ", b"\t" + good + b" \r", b"\xef\xbb\xbf" + good, good[:40] + b"\0" + good[40:],
             good + b"\0", good + good, b"nonsense", b"null", b"1", b'"a"', b"NaN", b"{'a':1}",
             b'{"a":1,"a":2}', b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\xaf"}',
             b'{"a":"\\ud800"}', b'{"a":01}', b"[" * 100000, b'{"a":' * 100000, good[:-1],
             b'{"type":"identity","name":"' + b"a" * (17 << 20) + b'"}', good]
    answers = run("validate", "--jsonl", "-", data=b"\n".join(lines))[1]
    same([a["valid"] for a in answers],
         [i in (2, len(lines) - 1) for i in range(len(lines))], "one answer a line, in order")
    ok(all(a["errors"] and all(set(e) == {"path", "rule", "message"} and e["rule"] and e["message"]
                               for e in a["errors"]) for a in answers if not a["valid"]),
       "each no has a path, a rule and a sentence")
    answers = run("id", "--jsonl", "-", data=b"\n".join(lines))[1]
    same((len(answers), {tuple(a) for a in answers}), (len(lines), {("error",)}), "the same of id")


def forms():
    """Object, list and bundle; rules of 2.0; advice that refuses."""
    old = {k: v for k, v in INDICATOR.items() if k in
           ("type", "id", "created", "modified", "name", "pattern", "valid_from")}
    old["labels"] = ["malicious-activity"]
    odd = but(INDICATOR, indicator_types=["odd"])
    same([a["valid"] for a in validate(values=[[IDENTITY, INDICATOR], [IDENTITY, old],
                                               bundle(IDENTITY, INDICATOR), bundle(old)])],
         [True, False, True, False], "lists and bundles; a 2.0 object is none of 2.1")
    answers = validate("--stix", "2.0", values=[
        old, but(old, labels=None), but(old, created="2024-05-01T08:00:00.0000Z"),
        but(old, spec_version="2.1"), bundle(old, spec_version="2.0"), bundle(old), [old, old]])
    same([a["valid"] for a in answers], [True, False, False, False, True, False, True],
         "by the rules of 2.0")
    same(answers[2]["errors"][0]["path"], "/created", "and with the paths of what came in")
    same([a["valid"] for a in validate(values=[odd])], [True], "advice is a warning")
    answer = validate("--strict", values=[odd, INDICATOR])
    same(([a["valid"] for a in answer], answer[0]["errors"], answer[0]["warnings"][0]["rule"]),
         ([False, True], [], "S-019"), "which refuses under --strict")


def many_findings():
    answer = validate(values=[but(IDENTITY, roles=[None] * 5000)])[0]
    same(len(answer["errors"]) + answer["more"], 5000, "what is beyond the cap is counted")
    answer = validate(values=[but(IDENTITY, **{"x_%03d" % n: n for n in range(3000)}, roles=[])])[0]
    same(([e["path"] for e in answer["errors"]], len(answer["warnings"]) + answer["more"]),
         (["/roles"], 3000), "warnings do not hide an error")
    name = "x" * 300000
    answers = validate(values=[but(IDENTITY, x_example={name: [None] * 2000}), IDENTITY])
    ok(not answers[0]["valid"] and answers[0]["errors"][0]["message"] and answers[1]["valid"],
       "more to say than there is room for")
    name = "x" * 3000
    answer = validate(values=[but(IDENTITY, x_example={name: None})])[0]
    same(answer["errors"][0]["path"], "/x_example/" + name, "a long path is whole")
    answer = validate(values=[bundle(IDENTITY, but(INDICATOR, valid_until=T1, confidence=101))])[0]
    same([(e["path"], e["rule"]) for e in answer["errors"]],
         [("/objects/1/confidence", "S-027"), ("/objects/1/valid_until", "S-035")],
         "all findings of an object, each with its place in the bundle")


def canon():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "value.json")
        for text, want in (('{"b":[1.0,1E21,1e-7,-0],"a":"\\u00e9\\u0007/"}',
                            '{"a":"\u00e9\\u0007/","b":[1,1e+21,1e-7,0]}'),
                           ('{"\\ud83d\\ude00":1,"\\ufb33":2}', '{"\U0001f600":1,"\ufb33":2}')):
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            r = subprocess.run([ISG, "canon", path], capture_output=True, timeout=60)
            same((r.returncode, r.stdout.decode()), (0, want), "canonical text of " + text)
        with open(path, "w", encoding="utf-8") as f:
            f.write('{"a":1,"a":2}')
        r = subprocess.run([ISG, "canon", path], capture_output=True, timeout=60)
        same((r.returncode, r.stdout), (65, b""), "none of a text that is not I-JSON")


mistakes()
hostile_lines()
forms()
many_findings()
canon()
done()
