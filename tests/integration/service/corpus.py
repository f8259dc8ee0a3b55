#!/usr/bin/env python3
"""Real data, where it is at hand: KEV in sequence, 144 medical advisories, ATT&CK there and back over TAXII."""
import http.server
import json
import lzma
import os
import threading

from gateway import Instance, corpus, done, indicator, ok, same, skip_all

if not corpus("medical/csaf-icsma"):
    skip_all("no corpus")


def events(isg, title):
    for c in isg.json("status")["collections"]:
        if c["title"] == title:
            return c["events"]


def advisories(isg, maker):
    folder = corpus("medical/csaf-icsma")
    first = isg.json("import", "--format", "csaf", "--collection", "advisories", folder)
    same((first["files"], first["files_refused"], first["refused"]), (144, 0, 0), "144 advisories in")
    objects, _ = maker.pull("advisories", limit=1000)
    kinds = [o["type"] for o in objects]
    same(kinds.count("report"), 144, "144 reports")
    same(kinds.count("vulnerability"), 428, "428 vulnerabilities")
    before = events(isg, "advisories")
    second = isg.json("import", "--format", "csaf", "--collection", "advisories", folder)
    same((second["added"], events(isg, "advisories")), (0, before), "a second import adds nothing")


def kev(isg, maker):
    folder = corpus("feeds/kev")
    cut = os.path.join(folder, "kev-truncated-upstream.json")
    result = isg.run("import", "--format", "kev", "--collection", "kev", cut, check=False)
    same(result.returncode, 65, "a KEV file that is cut short is refused")
    same(events(isg, "kev"), 0, "and nothing of it is stored")
    whole = os.path.join(folder, "kev-2025-08-25.json")
    with open(whole) as f:
        want = len(json.load(f)["vulnerabilities"])
    isg.json("import", "--format", "kev", "--collection", "kev", whole)
    objects, _ = maker.pull("kev", limit=1000, query="match[type]=vulnerability")
    same(len(objects), want, "%d known exploited vulnerabilities" % want)
    same(isg.json("import", "--format", "kev", "--collection", "kev", whole)["added"], 0,
         "a second import adds nothing")


def orders(isg, maker):
    """Four sources with what they say of the same CVEs, forwards and backwards: the same store."""
    kev, nvd = corpus("feeds/kev/kev-2025-08-25.json"), corpus("feeds/nvd/cves-2023.json")
    with open(kev) as f:
        names = [v["cveID"] for v in json.load(f)["vulnerabilities"]]
    with open(nvd) as f:
        names += [v["cve"]["id"] for v in json.load(f)["vulnerabilities"]]
    table = os.path.join(isg.base, "scores.csv")
    with open(table, "w") as f:
        f.write("#model_version:v2025.03.14,score_date:2025-08-20T00:00:00+0000\ncve,epss,percentile\n")
        f.writelines("%s,%.3f,0.5\n" % (name, n % 997 / 1000) for n, name in enumerate(names))
    sources = [("kev", corpus("feeds/kev/kev-before-removal.json")), ("kev", kev), ("nvd", nvd),
               ("csaf", corpus("medical/csaf-icsma")), ("epss", table)]
    stores = []
    for title, order in (("forwards", (0, 1, 2, 3, 4)), ("backwards", (4, 3, 2, 0, 1))):
        isg.collection(title, **{"default-tlp": "clear"})
        for i in order:
            isg.json("import", "--format", sources[i][0], "--collection", title, sources[i][1])
        stores.append({o["id"]: o for o in maker.pull(title, limit=1000)[0]})
    differ = [i for i, o in stores[0].items() if stores[1].get(i) != o]
    same((differ[:3], len(stores[0])), ([], len(stores[1])), "the order of %d objects' sources does not show"
         % len(stores[0]))


class Catalogue(http.server.BaseHTTPRequestHandler):
    body = b""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(Catalogue.body)))
        self.end_headers()
        self.wfile.write(Catalogue.body)


def kev_in_sequence(isg, maker):
    """As it was published: additions, edits, one removal without notice, a file cut short."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Catalogue)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    isg.run("feed", "add", "kev", "--url", "http://127.0.0.1:%d/" % server.server_port, "--format", "kev",
            "--collection", "sequence", "--interval", "30d", "--allow-private")
    # version, exit code, known exploited, versions of vulnerabilities: each edit and removal is one
    rows = [("before-removal", 0, 1352, 1352), ("truncated-upstream", 65, 1352, 1352),
            ("after-removal", 0, 1360, 1352 + 9 + 9 + 1), ("truncated-upstream", 65, 1360, 1371),
            ("2025-08-25", 0, 1404, 1371 + 44 + 3), ("2025-08-25", 0, 1404, 1418)]
    for version, code, known, versions in rows:
        with open(corpus("feeds/kev/kev-%s.json" % version), "rb") as f:
            Catalogue.body = f.read()
        same(isg.run_feed("kev").returncode, code, "KEV %s" % version)
        found, _ = maker.pull("sequence", limit=1000, query="match[type]=vulnerability&match[version]=all")
        same(len(found), versions, "%d versions of vulnerabilities" % versions)
        latest = {}
        for o in found:
            if o["id"] not in latest or o["modified"] > latest[o["id"]]["modified"]:
                latest[o["id"]] = o
        listed = [o for o in latest.values() if any(e.get("kev") for e in o["extensions"].values())]
        same(len(listed), known, "%d are known to be exploited" % known)
        same([o["name"] for o in latest.values() if o not in listed],
             ["CVE-2025-4664"] if known > 1352 else [], "and what left the catalogue is not")
        same([o["name"] for o in latest.values() if o.get("revoked")], [], "none is revoked")
    isg.run("feed", "remove", "kev")
    server.shutdown()


def bundle(name):
    path = corpus("stix/attack/" + name)
    reader = lzma.open if path.endswith(".xz") else open
    with reader(path, "rb") as f:
        return json.load(f)["objects"]


def envelopes(objects, most):
    """Split below max_content_length, as any client must (T-088)."""
    piece, size = [], 2
    for o in objects:
        text = json.dumps(o).encode()
        if piece and size + len(text) + 2 > most:
            yield b'{"objects":[' + b",".join(piece) + b"]}"
            piece, size = [], 2
        piece.append(text)
        size += len(text) + 2
    yield b'{"objects":[' + b",".join(piece) + b"]}"


def there_and_back(isg, hospital, maker, title, name):
    objects = bundle(name)
    most = hospital.get("/api/").json["max_content_length"] - 1024
    statuses = []
    for body in envelopes(objects, min(most, 8 << 20)):
        answer = hospital.request("POST", "/api/collections/%s/objects/" % title, body)
        if answer.status != 202:
            ok(False, "%s: %d %s" % (name, answer.status, answer.body[:200]))
            return
        statuses.append(answer.json)
    good = sum(hospital.settled(status)["success_count"] for status in statuses)
    same(good, len(objects), "%s: all %d pushed" % (name, len(objects)))
    back, pages = maker.pull(title, limit=500)
    same(len(back), len(objects), "%s: as many come back, in %d pages" % (name, pages))
    want = {(o["id"], o.get("modified")): o for o in objects}
    differ = [o["id"] for o in back if want.get((o["id"], o.get("modified"))) != o]
    same(differ[:3], [], "%s: property for property equal" % name)


with Instance() as isg:
    isg.member("st-mary", "hospital")
    isg.member("pumpmaker", "mdm")
    hospital = isg.client("st-mary", "secret of st-mary")
    maker = isg.client("pumpmaker", "secret of pumpmaker")
    for title in ("kev", "sequence", "ics", "enterprise"):
        isg.collection(title, **{"default-tlp": "clear"})
    advisories(isg, maker)
    kev(isg, maker)
    kev_in_sequence(isg, maker)
    orders(isg, maker)
    there_and_back(isg, hospital, maker, "ics", "ics-attack-18.1.stix21.json")
    there_and_back(isg, hospital, maker, "enterprise", "enterprise-attack-18.1.stix21.json.xz")
done()
