"""The NVD CVE API 2.0 and EPSS on loopback, with the habits that hurt.

POST /scene sets what is served; times in it are days from now. GET /log tells what was asked since the last time.
  records  [[CVE, days], ...]   by place in the list; days: lastModified
  clock    days                 the server's `timestamp`
  page     n                    at most so many records an answer
  key      text                 other keys are answered 404 with the reason in `message`
  busy     n                    so many requests are answered 503, Retry-After: 1
  broken   n                    the answer that begins with record n is 500
  after_first  "grow" | "shift" | "shrink"   what happens to the list behind the first answer
  empty    true                 no record, whatever is asked
  stuck    true                 startIndex is not looked at
  scores   {CVE: score}         for EPSS; its table is there for yesterday alone
"""
import datetime
import gzip
import http.server
import json
import sys
import threading
import urllib.parse

NOW = datetime.datetime.now(datetime.timezone.utc)
SCENE = {}
LOG = []


def day(days):
    return NOW + datetime.timedelta(days=days)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03d" % (moment.microsecond // 1000)


def record(name, days, words="Words."):
    moment = text(day(days))
    return {"cve": {"id": name, "published": moment, "lastModified": moment, "vulnStatus": "Analyzed",
                    "descriptions": [{"lang": "en", "value": words}], "metrics": {}, "references": []}}


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, status=200, media="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        SCENE.clear()
        SCENE.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        LOG.clear()
        self.answer(b"{}")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/log":
            body = json.dumps(LOG).encode()
            LOG.clear()
            return self.answer(body)
        LOG.append({"path": url.path, "raw": url.query, "key": self.headers.get("apiKey", ""), **query})
        if SCENE.get("busy", 0) > 0:
            SCENE["busy"] -= 1
            return self.answer(b"", 503, headers=[("Retry-After", "1")])
        if url.path == "/nvd":
            return self.nvd(query)
        if url.path == "/epss":
            return self.epss(query)
        if url.path == "/scores-%s.csv.gz" % day(-1).strftime("%Y-%m-%d"):
            return self.table()
        self.answer(b"", 404)

    def refuse(self, why):
        self.answer(b"", 404, headers=[("message", why)])

    def nvd(self, query):
        if SCENE.get("key", self.headers.get("apiKey")) != self.headers.get("apiKey"):
            return self.refuse("Invalid apiKey: %s" % self.headers.get("apiKey"))
        records = [] if SCENE.get("empty") else list(SCENE["records"])
        if "lastModStartDate" in query or "lastModEndDate" in query:
            if "lastModStartDate" not in query or "lastModEndDate" not in query:
                return self.refuse("both dates are required")
            start = datetime.datetime.fromisoformat(query["lastModStartDate"])
            end = datetime.datetime.fromisoformat(query["lastModEndDate"])
            if not datetime.timedelta(0) < end - start <= datetime.timedelta(days=120):
                return self.refuse("the range is no more than 120 days")
            records = [r for r in records if start <= day(r[1]) <= end]
        first = 0 if SCENE.get("stuck") else int(query["startIndex"])
        if first == SCENE.get("broken", -1):
            return self.answer(b"oops", 500)
        page = records[first:first + min(SCENE.get("page", 2000), int(query["resultsPerPage"]))]
        body = {"resultsPerPage": len(page), "startIndex": first, "totalResults": len(records), "format": "NVD_CVE",
                "version": "2.0", "timestamp": text(day(SCENE.get("clock", 0))),
                "vulnerabilities": [record(*r) for r in page]}
        happens = SCENE.pop("after_first", None)
        if happens == "grow":
            SCENE["records"].append(["CVE-2031-7001", -1])
        elif happens == "shift":
            SCENE["records"].insert(0, ["CVE-2031-7001", -1])
        elif happens == "shrink":
            SCENE["records"].pop(0)
        self.answer(json.dumps(body).encode())

    def epss(self, query):
        asked = query["cve"].split(",")
        data = [{"cve": c, "epss": "%.9f" % SCENE["scores"][c], "percentile": "0.5", "date": "2031-05-02"}
                for c in asked if c in SCENE["scores"]]
        self.answer(json.dumps({"status": "OK", "total": len(data), "offset": 0, "limit": int(query["limit"]),
                                "data": data}).encode())

    def table(self):
        rows = "".join("%s,%s,0.5\n" % item for item in SCENE["scores"].items())
        comment = "#model_version:v2031.03.14,score_date:2031-05-03T00:00:00+0000\ncve,epss,percentile\n"
        self.answer(gzip.compress((comment + rows).encode()), media="application/gzip")


SERVER = Server(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
print(SERVER.server_address[1], SERVER.server_address[1], sep="\n", flush=True)
sys.stdin.read()
