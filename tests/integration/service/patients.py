#!/usr/bin/env python3
"""Feeds digest 7.11: what a sensor in a hospital wrote of patients never gets into a stored byte, a
line of a log or a message, whatever field it stood in and whatever was wrong with the file."""
import json
import os

from gateway import Instance, done, ok, same

# No letter case, no encoding and no part of these may be seen again.
PATIENTS = ["DOE^JANE^Q", "Doe, Jane", "MRN-0012345", "078-05-1120", "19640217", "jane.doe@ward7.clinic.example",
            "J%C3%B6rg M\u00fcller", "pacs-ward7", "10.18.7.44", "192.168.77.3", "fd00:7::44"]
MARK = ["doe", "mrn-00", "078-05", "19640217", "ward7", "ller", "10.18.7", "192.168.77", "fd00:7"]

ALERT = {"action": "allowed", "gid": 1, "signature_id": 900001, "rev": 2,
         "signature": "EXAMPLE beacon of a bot", "category": "A Network Trojan was detected", "severity": 1}


def event(text, n, **more):
    """An alert with the text in every field that is not of the rule, and in fields of no standard."""
    e = {"timestamp": "2031-03-29T11:%02d:38.221126-0600" % (n % 60), "flow_id": n, "event_type": "alert",
         "src_ip": "10.18.7.44", "src_port": 50001, "dest_ip": "203.0.114.%d" % (n % 250 + 1), "dest_port": 443,
         "proto": "TCP", "app_proto": text, "in_iface": text, "host": text, "pcap_filename": text,
         "community_id": text, "payload": text, "payload_printable": text, "packet": text, "stream": text,
         "alert": dict(ALERT, metadata={"patient": [text]}, source={"ip": text}, target={"ip": text}),
         "http": {"hostname": text, "url": "/" + text, "http_user_agent": text, "http_refer": text,
                  "http_request_body": text, "xff": text, "http_content_type": text, "status": text},
         "dns": {"rrname": text, "rdata": text, "query": [{"rrname": text}], "answers": [{"rdata": text}]},
         "tls": {"subject": text, "issuerdn": text, "sni": text, "fingerprint": text, "ja3": {"hash": text}},
         "fileinfo": {"filename": text, "md5": text, "sha1": text, "sha256": text, "magic": text},
         "files": [{"filename": text}], "smtp": {"helo": text, "mail_from": text, "rcpt_to": [text]},
         "email": {"from": text, "to": [text], "subject": text, "attachment": [text]},
         "smb": {"filename": text, "share": text, "ntlmssp": {"user": text, "host": text}},
         "krb5": {"cname": text, "sname": text}, "ssh": {"client": {"software_version": text}},
         "dicom": {"PatientName": text}, "ftp": {"command_data": text}, "user": text, "vars": {text: text}}
    e.update(more)
    return e


def uploads():
    """(format, text): good ones, and ones wrong in each way there is."""
    events = [event(text, i) for i, text in enumerate(PATIENTS)]
    for i, field in enumerate(("timestamp", "src_ip", "dest_ip", "proto", "event_type", "flow_id")):
        events += [event(text, 100 + i, **{field: text}) for text in PATIENTS]
    lines = "".join(json.dumps(e) + "\n" for e in events)
    yield "suricata", lines
    yield "suricata", json.dumps(events)
    yield "suricata", lines[:len(lines) // 2]                 # cut at rotation
    yield "suricata", json.dumps(events)[:-400]               # a list that is cut
    yield "suricata", lines.replace('"event_type"', '"Doe, Jane"')
    yield "suricata", '{"DOE^JANE^Q": 1, "DOE^JANE^Q": 2}\n[{"MRN-0012345": nan}]'
    yield "suricata", "<html><body>DOE^JANE^Q</body></html>"
    yield "zeek", lines                                       # what another sensor wrote
    yield "zeek", "#fields\tts\tid.orig_h\tid.resp_h\tnote\tservice\tproto\tmsg\tuser\n" + "".join(
        "1932570000.5\t10.18.7.44\t203.0.114.9\t%s\t%s\t%s\t%s\t%s\n" % (t, t, t, t, t) for t in PATIENTS)
    yield "zeek", "DOE^JANE^Q\tMRN-0012345\n"
    yield "zeek", "".join(json.dumps({"ts": 1932570000.5, "id.orig_h": "10.18.7.44", "id.resp_h": "203.0.114.9",
                                      "host": t, "query": t, "user": t, "uri": "/" + t, "note": t}) + "\n"
                          for t in PATIENTS)


def everything(isg, seer, said):
    """Each byte that is kept or was said, by where it is."""
    yield "the messages", "\n".join(said).encode()
    with open(isg.log, "rb") as f:
        yield "the log", f.read()
    yield "what TAXII serves", json.dumps(seer.pull("sightings", query="match[version]=all")[0]).encode()
    for folder, _, names in os.walk(isg.dir):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path[len(isg.dir):], f.read()


with Instance() as isg:
    isg.member("st-mary", "hospital")
    seer = isg.member("seer", "isao_staff")
    isg.collection("sightings")
    said, stored = [], 0
    for format, text in uploads():
        for words in (["import", "--collection", "sightings", "--source", "st-mary", "--json"], ["convert"]):
            result = isg.run(*words, "--format", format, "-", stdin=text, check=False)
            said += [result.stdout, result.stderr]
            ok(result.returncode in (0, 65), "%s %s: %d" % (words[0], format, result.returncode))
            if words[0] == "import":
                stored += json.loads(result.stdout)["added"]
    ok(stored >= len(PATIENTS), "%d objects are stored" % stored)
    seen = 0
    for place, content in everything(isg, seer, said):
        seen += len(content)
        found = [m for m in MARK if m.encode() in content.lower()]
        if found or place in ("the messages", "the log", "what TAXII serves"):
            same(found, [], "nothing of a patient or of the house is in %s" % place)
    ok(seen > 10000, "%d bytes were looked at" % seen)
    ok(b"203.0.114." in b"".join(c for p, c in everything(isg, seer, []) if "aof" in p),
       "and they do hold what was sent")
done()
