#!/usr/bin/env python3
"""Feeds that are hostile or broken (feeds digest 2.2; R-079, R-080, R-082, R-084): each fails as the
text says and writes nothing, while others go on."""
import datetime
import itertools
import json
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from gateway import Instance, done, ok, same, until
from misbehaving import Authority, Proxy, Server, Socks, tls

# path, options beside the usual ones, what the failure says
FAILURES = [
    ("/html", "", "HTML page"), ("/captcha", "", "HTML page"), ("/block", "", "HTML page"),
    ("/empty", "", "empty"), ("/half", "", ""), ("/500", "", "status 500"),
    ("/304", "", "304"),  # although nothing was sent to compare with
    ("/cutfile", "", "gzip file is damaged"), ("/early", "", ""), ("/chunk", "", ""),
    ("/hangup", "", ""), ("/reset", "", ""), ("/garbage", "", ""), ("/short", "", ""), ("/longer", "", ""),
    ("/twolengths", "", ""),
    # bytes, ratio, time, records, depth, strings, headers
    ("/endless", "--max-wire 4MiB", "R-084"), ("/endless", "--max-bytes 1MiB", "R-084"),
    ("/declared", "", "R-084"), ("/bomb", "", "R-084"), ("/bombfile", "", "R-084"),
    ("/bomb", "--max-ratio 10000 --max-bytes 1MiB", "R-084"), ("/headers", "", "R-084"),
    ("/slow", "--timeout 1s", ""), ("/many", "--format list --max-records 999", "R-084"),
    ("/deep", "--max-depth 20", "limit"), ("/long", "--max-string 4KiB", "limit"),
    # redirects: at most three, only to http and https, never away from https (below)
    ("/hops/4", "", "more than 3 redirects"), ("/loop", "", "more than 3 redirects"),
    ("/to?file:///etc/passwd", "", "R-079"), ("/to?gopher://127.0.0.1/", "", "R-079"),
    ("/to?dict://127.0.0.1/", "", "R-079"), ("/to?ftp://127.0.0.1/", "", "R-079"),
    ("/to?http://user:word@127.0.0.1/", "", "R-079"), ("/hops/1", "--redirects never", "status"),
    # another host's address must be public, whatever allow_private says of the feed's own
    ("/to?https://169.254.169.254/latest/", "", "R-080"), ("/to?https://10.0.0.1/", "", "R-080"),
    ("/to?https://0.0.0.0/", "", "R-080"), ("/to?https://[::1]/", "", "R-080"),
    ("/to?https://[::ffff:10.0.0.1]/", "", "R-080"), ("/to?https://167772161/", "", "R-080"),
    ("/to?https://012.0.0.1/", "", "R-080"), ("/to?https://0xa.1/", "", "R-080"),
    ("/to?https://localhost/", "", "R-080"),
]
GOOD = [("/good", ""), ("/image", ""), ("/mark", ""), ("/wide", ""), ("/file", ""), ("/packed", ""),
        ("/hops/3", ""), ("/many", "--format list")]


class Bed:
    def __init__(self, isg):
        self.isg, self.numbers = isg, itertools.count()

    def add(self, url, options="", private=True):
        name = "feed-%d" % next(self.numbers)
        words = options.split()
        if "--format" not in words:
            words += ["--format", "kev"]
        run = self.isg.run("feed", "add", name, "--url", url, "--collection", "advisories", "--interval", "30d",
                           *(["--allow-private"] if private else []), *words, check=False)
        return name if run.returncode == 0 else run

    def run(self, name, *words):
        """By hand; where its first scheduled run is under way, after that."""
        return self.isg.run_feed(name, "--json", *words)

    def all_fail(self, rows):
        """Several at once; rows of URL, options, what is said."""
        with ThreadPoolExecutor(4) as pool:
            runs = list(pool.map(lambda row: self.run(self.add(*row[:2])), rows))
        for (url, options, said), run in zip(rows, runs):
            ok(run.returncode != 0 and said in run.stderr, "%s %s: %s" % (url, options, run.stderr.strip()))

    def fails(self, url, options, said, private=True):
        name = self.add(url, options, private)
        run = self.run(name)
        ok(run.returncode != 0 and said in run.stderr, "%s %s: %s" % (url, options, run.stderr.strip()))
        return name, run.stderr

    def works(self, url, options="", private=True):
        name = self.add(url, options, private)
        run = self.run(name)
        ok(run.returncode == 0, "%s %s: %s" % (url, options, run.stderr.strip()))
        return name

    def runs(self, name):
        """How often it ran: a feed that was just added also runs by its schedule."""
        return sum(e["feed"] == name for e in self.isg.events() if e["event"] in ("feed.done", "feed.failed"))

    def status(self, name):
        return next(f for f in self.isg.json("feed", "status")["feeds"] if f["name"] == name)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def count(isg):
    return next(c["events"] for c in isg.json("status")["collections"] if c["title"] == "advisories")


def check_configured(bed):
    """R-079: what is not https is refused when it is configured."""
    for url in ("file:///etc/passwd", "gopher://127.0.0.1/", "dict://127.0.0.1/", "ftp://127.0.0.1/x",
                "http://192.0.2.1/x"):
        run = bed.add(url, private=False)
        ok(not isinstance(run, str) and run.returncode == 65 and "R-079" in run.stderr, "%s is refused" % url)


def check_busy(bed, server):
    name = bed.works(server.url("/busy"))
    same(len(server.asked("/busy")), 2 + bed.runs(name), "Retry-After in seconds and as a date is waited for")
    name, _ = bed.fails(server.url("/tired"), "", "status 503")
    same(len(server.asked("/tired")), 5 * bed.runs(name), "at most five tries")
    name, _ = bed.fails(server.url("/later"), "", "status 429")
    same(len(server.asked("/later")), bed.runs(name), "a long wait is left to the schedule")
    facts = bed.status(name)
    ok(seconds(facts["next_run"]) - seconds(facts["last_run"]) >= 7200, "which keeps to it")
    for path, said in (("/401", "401"), ("/403", "403"), ("/404", "404")):
        name, _ = bed.fails(server.url(path), "", said)
        same(len(server.asked(path)), bed.runs(name), "%s is not tried again" % path)
        ok(said in bed.status(name)["last_error"], "and told in the status")
    ok(any(e["level"] == "error" for e in bed.isg.events("feed.failed")), "and in the log as an error")


def check_secrets(bed, server, other, secure, elsewhere, client):
    """R-082: nothing secret leaves for another port, scheme or host."""
    path = os.path.join(bed.isg.base, "headers")
    with open(path, "w") as f:
        f.write("X-Api-Key: canary-key\nAuthorization: Bearer canary-token\nCookie: canary=1\n")
    os.chmod(path, 0o600)
    with open(os.path.join(bed.isg.base, ".netrc"), "w") as f:
        f.write("machine 127.0.0.1 login canary password canary\n")
    header = "--header-file " + path
    bed.works(server.url("/good?own"), header)
    seen = server.asked("/good?own")[0][1]
    same((seen.get("X-Api-Key"), seen.get("Authorization")), ("canary-key", "Bearer canary-token"),
         "the feed's own server gets its headers")
    server.other = other
    bed.fails(server.url("/away"), header, "R-082")
    bed.fails(server.url("/hops/1"), header, "R-082")
    same(other.seen, [], "a feed with credentials is not redirected, unless it is told to")
    bed.works(server.url("/away"), header + " --redirects follow")
    server.other = secure
    bed.works(server.url("/away"), header + " --redirects follow --ca " + secure.ca)
    secure.other = elsewhere
    pair = "--ca %s --client-certificate %s --client-key %s" % (secure.ca, *client)
    bed.works(secure.url("/good?own"), pair)
    ok(secure.asked("/good?own")[0][2], "the client certificate is shown at home")
    bed.fails(secure.url("/away"), pair, "R-082")
    bed.works(secure.url("/away"), pair + " --redirects follow")
    seen = other.seen + secure.asked("/good") + elsewhere.seen
    ok(other.seen and secure.asked("/good") and elsewhere.seen, "three redirects were followed")
    ok("canary" not in repr(seen) and not any(s[2] for s in seen), "and no secret went with them")
    secure.other = other
    bed.fails(secure.url("/away"), "--ca " + secure.ca, "R-079")
    log = open(bed.isg.log).read() + json.dumps(bed.isg.json("feed", "status"))
    ok("canary" not in log, "no secret is in the log or the status")


def check_tls(bed, secure, stranger, expired):
    ca = "--ca " + secure.ca
    name = bed.works(secure.url("/good?tls"), ca)
    bed.all_fail([(secure.url("/good?tls"), "", ""), (stranger.url("/good"), ca, ""),
                  (expired.url("/good"), ca, "")])
    same((len(secure.seen), stranger.seen, expired.seen), (bed.runs(name), [], []), "nothing is asked of a server that is not who it says")


def check_addresses(bed, server):
    bed.fails(server.url("/good"), "", "R-080", private=False)
    to = server.url("/to?" + server.url("/good", "localhost"))
    bed.fails(to, "", "R-080")
    bed.works(to, "--allow-networks 127.0.0.0/8,::1")


def check_proxy(bed, server):
    proxy, socks = Proxy(), Socks(server.server_port)
    path = os.path.join(bed.isg.base, "proxy")
    with open(path, "w") as f:
        f.write("user:word\n")
    http = "--proxy http://127.0.0.1:%d" % proxy.server_port
    bed.works("http://feed.invalid/kev", "%s --proxy-auth-file %s" % (http, path))
    same(set(proxy.seen), {("http://feed.invalid/kev", "Basic dXNlcjp3b3Jk")}, "through an HTTP proxy, which looks up the name")
    bed.fails("https://10.0.0.1/", http, "R-080", private=False)
    same(len(set(proxy.seen)), 1, "an address in the URL is judged all the same")
    bed.works("http://feed.invalid:%d/good" % server.server_port, "--proxy socks5h://127.0.0.1:%d" % socks.port)
    same(set(socks.names), {b"feed.invalid"}, "through a SOCKS proxy likewise")


def check_others(bed, server):
    """One that stalls keeps neither another feed nor the operator waiting; its progress is shown."""
    slow = bed.add(server.url("/stalled"), "--timeout 1h")
    waiting = threading.Thread(target=bed.run, args=(slow,))
    waiting.start()
    until(lambda: server.asked("/stalled"))
    bed.works(server.url("/good?beside"))
    until(lambda: bed.status(slow).get("progress", {}).get("bytes") == 20)
    facts = bed.status(slow)
    same((facts["running"], facts["progress"]["stage"], facts["progress"]["bytes"]), (True, "fetch", 20),
         "the status tells where a run stands")
    text = bed.isg.run("feed", "status").stdout
    ok("progress" in text and "fetch" in text, "for people too")
    server.release.set()
    waiting.join()
    facts = until(lambda: not bed.status(slow)["running"]) and bed.status(slow)
    same(facts["state"], "ok", "then it ends well")
    server.release.clear()


def check_metrics(bed):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(bed.isg.dir, "admin.sock"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    feeds = bed.isg.json("feed", "status")["feeds"]
    for word, name in (("failing", "isg_feed_failures"), ("ok", "isg_feed_last_success_timestamp_seconds"),
                       ("ok", "isg_feed_objects_total"), ("failing", "isg_feed_errors_total")):
        feed = next(f["name"] for f in feeds if f["state"] == word)
        ok('%s{feed="%s"' % (name, feed) in text, "%s of a feed that is %s" % (name, word))


def check_stop(bed, server):
    """The service does not wait for a source that lets it wait."""
    name = bed.add(server.url("/stalled?stop"), "--timeout 1h")
    waiting = threading.Thread(target=bed.isg.run, args=("feed", "run", name), kwargs={"check": False})
    waiting.start()
    until(lambda: server.asked("/stalled?stop"))
    same(bed.isg.stop(signal.SIGTERM), 0, "it stops in the middle of a transfer")
    waiting.join()


def main():
    # what is in the environment does not count: nobody listens there
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            os.environ[name] = "http://127.0.0.1:%d" % nobody.getsockname()[1]
        os.environ["no_proxy"] = "feed.invalid"
        isg = Instance()
        os.environ["HOME"] = isg.base  # there is a .netrc in it later
        with isg:
            bed, server, other = Bed(isg), Server(), Server()
            ours, theirs = Authority(isg.base, "ours"), Authority(isg.base, "theirs")
            client = ours.issue("client")
            secure = Server(tls(*ours.issue("server"), client_ca=ours.ca))
            elsewhere = Server(tls(*ours.issue("elsewhere"), client_ca=ours.ca))
            stranger = Server(tls(*theirs.issue("server")))
            expired = Server(tls(*ours.issue("expired", "-days", "-1")))
            for s in (secure, elsewhere):
                s.ca = ours.ca
            stranger.ca = theirs.ca
            check_configured(bed)
            before = count(isg)
            bed.all_fail([(server.url(path), *rest) for path, *rest in FAILURES])
            same(count(isg), before, "all of that wrote nothing")
            for path, options in GOOD:
                bed.works(server.url(path), options)
            check_busy(bed, server)
            check_tls(bed, secure, stranger, expired)
            check_secrets(bed, server, other, secure, elsewhere, client)
            check_addresses(bed, server)
            check_proxy(bed, server)
            check_others(bed, server)
            check_metrics(bed)
            check_stop(bed, server)


main()
done()
