#!/usr/bin/env python3
"""Read rates of the TAXII server beside nginx with the same bytes, over TLS 1.3 in the same run.

    ISG=build/release/gateway/cli/isg PYTHONPATH=tests/support python3 tests/bench/bench_taxii.py

Needs wrk and nginx. Prints one JSON object: for each case the median ratio to nginx of requests per
second, of the 99th percentile of latency, and of processor time per request. The last is the one to
trust on a busy machine. Nothing fails by time; a wrong answer does.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import gateway
from gateway import Instance, free_port, indicator

LUA = """
local ids, n = {}, 0
local file = io.open("%(ids)s")
if file then for line in file:lines() do ids[#ids + 1] = line end end
function request()
  if #ids == 0 then return wrk.request() end
  n = (n + 7919) %% #ids
  return wrk.format(nil, "%(prefix)s" .. ids[n + 1] .. "/")
end
function done(summary, latency, requests)
  io.write(string.format('\\nRESULT {"requests":%%d,"us":%%d,"p99_us":%%d,"bad":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read +
    summary.errors.write + summary.errors.timeout))
end
"""
NGINX = """
daemon off; worker_processes %(workers)d; pid %(dir)s/pid; error_log %(dir)s/error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000000;
  open_file_cache max=100; default_type application/taxii+json; types { }
  client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p; fastcgi_temp_path %(dir)s/f;
  uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  server {
    listen 127.0.0.1:%(port)d ssl; root %(dir)s/www; etag on;
    ssl_certificate %(cert)s; ssl_certificate_key %(key)s; ssl_protocols TLSv1.3;
  }
}
"""


def cpu_seconds(pid):
    """Processor time of a process and its children, those that ended left out."""
    total, todo = 0.0, [pid]
    while todo:
        p = todo.pop()
        try:
            with open("/proc/%d/stat" % p) as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            for task in os.listdir("/proc/%d/task" % p):
                with open("/proc/%d/task/%s/children" % (p, task)) as f:
                    todo += [int(child) for child in f.read().split()]
        except OSError:
            pass
    return total


class Nginx:
    def __init__(self, isg, workers):
        self.dir = tempfile.mkdtemp(prefix="isg-bench-")
        os.chmod(self.dir, 0o755)
        self.www = os.path.join(self.dir, "www")
        os.mkdir(self.www)
        self.port = free_port()
        tls = os.path.join(isg.dir, "tls")
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX % {"dir": self.dir, "port": self.port, "workers": workers,
                             "cert": os.path.join(tls, "server.pem"),
                             "key": os.path.join(tls, "server.key")})
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-p", self.dir, "-c", conf],
                                        stderr=subprocess.PIPE)
        time.sleep(0.5)
        if self.process.poll() is not None:
            sys.exit("nginx: " + self.process.stderr.read().decode())

    def serve(self, name, data):
        path = os.path.join(self.www, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o644)
        return "https://127.0.0.1:%d/%s" % (self.port, name)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.isg = Instance()
        self.isg.start()
        self.client = self.isg.member("hospital", "hospital")
        self.collection = self.isg.collection("bench")
        self.base = "/api/collections/%s/objects/" % self.collection
        self.nginx = Nginx(self.isg, options.workers)
        self.tmp = tempfile.mkdtemp(prefix="isg-bench-")
        self.ids = []
        self.served = 0

    def stop(self):
        self.nginx.stop()
        self.isg.stop()
        shutil.rmtree(self.tmp, ignore_errors=True)
        shutil.rmtree(self.isg.base, ignore_errors=True)

    def fill(self, count):
        for start in range(0, count, 100):
            things = [indicator(n, "green", description="Seen at a pump gateway; " * 12)
                      for n in range(start, min(start + 100, count))]
            answer = self.client.push(self.collection, things)
            if answer.status != 202 or answer.json["failure_count"]:
                sys.exit("push: %d %s" % (answer.status, answer.body[:300]))
            self.ids += [thing["id"] for thing in things]
        with open(os.path.join(self.tmp, "ids"), "w") as f:
            f.write("\n".join(self.ids))

    def url(self, path):
        return "https://127.0.0.1:%d%s" % (self.isg.port, path)

    def wrk(self, url, connections, headers, by_id):
        script = os.path.join(self.tmp, "run.lua")
        with open(script, "w") as f:
            f.write(LUA % {"ids": os.path.join(self.tmp, "ids") if by_id else "",
                           "prefix": self.base})
        words = ["wrk", "-t1", "-c%d" % connections, "-d%ds" % self.options.seconds, "-s", script]
        for name, value in headers.items():
            words += ["-H", "%s: %s" % (name, value)]
        run = subprocess.run(words + [url], capture_output=True, text=True,
                             timeout=self.options.seconds + 60)
        line = [text for text in run.stdout.split("\n") if text.startswith("RESULT ")]
        if not line:
            sys.exit("wrk: " + run.stderr)
        result = json.loads(line[0][7:])
        if result["bad"]:
            sys.exit("%d bad answers from %s" % (result["bad"], url))
        return result

    def side(self, url, pid, connections, headers, by_id=False):
        before = cpu_seconds(pid)
        result = self.wrk(url, connections, headers, by_id)
        used = cpu_seconds(pid) - before
        n = max(result["requests"], 1)
        return {"rate": n * 1e6 / result["us"], "p99_ms": result["p99_us"] / 1e3,
                "cpu_us": used * 1e6 / n}

    def compare(self, path, connections, extra=None, by_id=False):
        """Rounds that alternate between the two; nginx always sends the plain bytes."""
        headers = dict(self.client.headers, **(extra or {}))
        plain = self.client.get(path)
        first = self.client.get(path, **(extra or {}))
        if plain.status != 200 or first.status not in (200, 304):
            sys.exit("%s: %d, %d" % (path, plain.status, first.status))
        self.served += 1  # a new file each time: nginx remembers open ones
        other = self.nginx.serve("page%d" % self.served, plain.body)
        rounds = []
        for _ in range(self.options.rounds):
            ours = self.side(self.url(path), self.isg.process.pid, connections, headers, by_id)
            theirs = self.side(other, self.nginx.process.pid, connections, self.client.headers)
            rounds.append((ours, theirs))
        return self.summary(rounds, len(first.body), len(plain.body))

    @staticmethod
    def summary(rounds, sent, plain):
        def median(values):
            return round(statistics.median(values), 3)
        out = {"bytes": sent, "plain_bytes": plain}
        for i, name in enumerate(("isg", "nginx")):
            out[name] = {key: median(r[i][key] for r in rounds) for key in rounds[0][i]}
        for key, name in (("rate", "rate_ratio"), ("p99_ms", "p99_ratio"), ("cpu_us", "cpu_ratio")):
            out[name] = median(ours[key] / max(theirs[key], 1e-9) for ours, theirs in rounds)
        return out

    def after_pushes(self, count=30):
        """A poll of the newest page right behind each push, and again when nothing moved."""
        behind, still = [], []
        first = self.client.get(self.base + "?limit=1000")
        last = first.headers["X-TAXII-Date-Added-Last"]
        while json.loads(first.body).get("more"):
            first = self.client.get(self.base + "?limit=1000&added_after=" + last)
            last = first.headers["X-TAXII-Date-Added-Last"] or last
        for n in range(count):
            self.client.push(self.collection, [indicator(5000000 + n, "green")])
            for times in (behind, still):
                began = time.perf_counter()
                answer = self.client.get(self.base + "?limit=1000&added_after=" + last)
                times.append((time.perf_counter() - began) * 1e3)
                if answer.status != 200 or len(answer.json["objects"]) != n + 1:
                    sys.exit("a push is not seen by the poll behind it")
        return {"behind_a_push_ms": round(statistics.median(behind), 3),
                "again_ms": round(statistics.median(still), 3)}

    def places(self, limit=100, count=9):
        """Pages built from the store at the start, in the middle and at the end of the collection:
        the limit changes each time, so that none of them is in memory."""
        dates = {}
        for name, at in (("first", 0.0), ("middle", 0.5), ("last", 1.0)):
            index = max(0, int(at * len(self.ids)) - limit - count - 1)
            answer = self.client.get("/api/collections/%s/manifest/?match[id]=%s" % (
                self.collection, self.ids[index]))
            dates[name] = answer.json["objects"][0]["date_added"]
        times = {name: [] for name in dates}
        for n in range(count):
            for name, date in dates.items():
                began = time.perf_counter()
                answer = self.client.get(self.base + "?limit=%d&added_after=%s" % (limit + n, date))
                times[name].append((time.perf_counter() - began) * 1e3)
                if answer.status != 200:
                    sys.exit("%s page: %d" % (name, answer.status))
        return {name + "_ms": round(statistics.median(t), 3) for name, t in times.items()}


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=2, help="of one run of wrk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="of nginx")
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    return parser.parse_args()


def main():
    for program in ("wrk", "nginx"):
        if shutil.which(program) is None and not os.path.exists("/usr/sbin/" + program):
            gateway.skip_all("no " + program)
    bench = Bench(options())
    gzip = {"Accept-Encoding": "gzip"}
    out = {"objects": bench.options.objects, "load": os.getloadavg()[0]}
    try:
        bench.fill(bench.options.objects)
        page = bench.base + "?limit=%d"
        tag = bench.client.get(page % 100).headers["ETag"]
        cases = [("page100_c%d" % c, (page % 100, c)) for c in (1, 32)]
        cases += [("page1000_c%d" % c, (page % 1000, c)) for c in (1, 32)]
        cases += [("page%d_gzip_c32" % n, (page % n, 32, gzip)) for n in (100, 1000)]
        cases += [("id_c%d" % c, (bench.base + bench.ids[0] + "/", c, None, True)) for c in (1, 32)]
        cases += [("not_modified_c32", (page % 100, 32, {"If-None-Match": tag}))]
        for name, case in cases:
            if bench.options.only in name:
                out[name] = bench.compare(*case)
        out["polls"] = bench.after_pushes()
        out["places"] = bench.places()
    finally:
        bench.stop()
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
