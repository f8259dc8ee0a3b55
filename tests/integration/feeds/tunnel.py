#!/usr/bin/env python3
"""A feed, peers and a webhook through an HTTP proxy, each to a server that lets in nobody without a
client certificate and has an authority of its own; and what the proxy gets to see of them."""
import http.server
import json
import os

from gateway import MEDIA, Instance, done, free_port, indicator, ok, same, until
from misbehaving import Authority, Server, Tunnel, tls

LOGIN = "Basic dXNlcjp3b3Jk"  # user:word


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every POST; notes the headers, the body and who it was."""
    protocol_version = "HTTP/1.1"
    taken = []

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Receiver.taken.append((dict(self.headers), body, self.connection.getpeercert()))
        self.send_response(204)
        self.end_headers()


def subject(shown):
    return dict(pair for part in (shown or {}).get("subject", ()) for pair in part).get("commonName")


def write(isg, name, text):
    path = os.path.join(isg.base, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


class Bed:
    def __init__(self, isg):
        self.isg, self.n = isg, 0
        self.ours, self.theirs = Authority(isg.base, "ours"), Authority(isg.base, "theirs")
        self.client = self.ours.issue("gateway")
        self.stranger = self.theirs.issue("gateway")
        names = ",DNS:feed.invalid,DNS:other.invalid,DNS:hook.invalid"
        self.feed = Server(tls(*self.ours.issue("feed", names=names), client_ca=self.ours.ca, demanded=True))
        self.elsewhere = Server(tls(*self.ours.issue("other", names=names), client_ca=self.ours.ca))
        self.hook = Server(tls(*self.ours.issue("hook", names=names), client_ca=self.ours.ca, demanded=True), Receiver)
        self.plain = Server()
        self.headers = write(isg, "headers", "X-Api-Key: canary-key\nCookie: canary=1\n")
        self.login = write(isg, "login", "user:word\n")

    def open(self, peer_port):
        self.peer_port = peer_port
        self.proxy = Tunnel({"feed.invalid:443": self.feed.server_port, "hook.invalid:443": self.hook.server_port,
                             "other.invalid:443": self.elsewhere.server_port,
                             "127.0.0.1:%d" % peer_port: peer_port}, LOGIN)

    def options(self, **more):
        pairs = {"header_file": self.headers, "ca": self.ours.ca, "client_certificate": self.client[0],
                 "client_key": self.client[1], "proxy": self.proxy.url, "proxy_auth_file": self.login, **more}
        return [w for k, v in pairs.items() if v is not None for w in ("--" + k.replace("_", "-"), v)]

    def run(self, url, *words, **more):
        self.n += 1
        name = "feed-%d" % self.n
        self.isg.run("feed", "add", name, "--url", url, "--collection", "advisories", "--format", "kev",
                     "--interval", "30d", *self.options(**more), *words)
        return self.isg.run_feed(name)

    def fails(self, said, name, url, *words, **more):
        run = self.run(url, *words, **more)
        ok(run.returncode != 0 and said in run.stderr, "%s: %s" % (name, run.stderr.strip()))


def check_feed(bed):
    url = "https://feed.invalid/good"
    run = bed.run(url)
    same(run.returncode, 0, "a feed through the proxy: " + run.stderr.strip())
    _, headers, shown = bed.feed.asked("/good")[0]
    same((headers.get("X-Api-Key"), subject(shown)), ("canary-key", "gateway"),
         "its server gets the key and the client certificate")
    ok(bed.proxy.asked("feed.invalid:443"), "the proxy looks up the name")
    ok("Proxy-Authorization" not in headers, "and the login at the proxy stays there")
    before = len(bed.feed.seen)
    bed.fails("client certificate", "without a client certificate", url, client_certificate=None, client_key=None)
    bed.fails("another client certificate", "with one of another authority", url,
              client_certificate=bed.stranger[0], client_key=bed.stranger[1])
    bed.fails("is not valid by " + bed.theirs.ca, "a server of another authority than the feed's", url, ca=bed.theirs.ca)
    bed.fails("the system's authorities", "of one the system does not know", url, ca=None)
    bed.fails("proxy wants another login", "without the login", url, proxy_auth_file=None)
    bed.fails("proxy wants another login", "with a wrong one", url,
              proxy_auth_file=write(bed.isg, "wrong", "user:canary\n"))
    bed.fails("leads nowhere", "to what it does not know", "https://nobody.invalid/")
    bed.fails("client certificate", "with the key of another certificate", url, client_key=bed.stranger[1])
    bed.fails("no client certificate and its key", "with a file that is no certificate", url,
              client_certificate=bed.login)
    bed.fails("is not valid by " + bed.login, "an authority that is none", url, ca=bed.login)
    bed.fails("gone.pem", "no file of a certificate", url, client_certificate=os.path.join(bed.isg.base, "gone.pem"))
    bed.fails("gone.key", "no file of a key", url, client_key=os.path.join(bed.isg.base, "gone.key"))
    bed.fails("gone.ca", "no file of an authority", url, ca=os.path.join(bed.isg.base, "gone.ca"))
    behind_tls = Tunnel({}, LOGIN, tls(*bed.ours.issue("proxy")))
    bed.fails("the proxy's certificate is not valid by the system's", "a proxy that nobody vouches for", url,
              proxy="https://127.0.0.1:%d" % behind_tls.port)
    same(behind_tls.heads, [], "it gets no login either")
    bed.fails("the proxy: ", "no such proxy", url, proxy="http://127.0.0.1:%d" % free_port())
    same(len(bed.feed.seen), before, "none of these was asked for anything")


def check_redirect(bed):
    bed.feed.other = bed.elsewhere
    bed.elsewhere.url = lambda path: "https://other.invalid" + path
    url = "https://feed.invalid/away"
    bed.fails("R-082", "a feed with secrets is not redirected", url)
    same(bed.elsewhere.seen, [], "nobody else was asked")
    run = bed.run(url, "--redirects", "follow")
    same(run.returncode, 0, "unless it is told to: " + run.stderr.strip())
    seen = bed.elsewhere.seen
    ok(seen and "canary" not in repr(seen) and not any(s[2] for s in seen), "neither key nor certificate go along")
    ok(all("Proxy-Authorization: " + LOGIN in h for h in bed.proxy.asked("other.invalid:443")),
       "the login at the proxy is for the proxy, wherever the way leads")


def check_plain(bed):
    """A proxy reads what goes through it without TLS."""
    before = len(bed.proxy.heads)
    url = bed.plain.url("/good")
    bed.fails("R-082", "no secret goes through a proxy without TLS", url, "--allow-private")
    same((len(bed.proxy.heads), bed.plain.seen), (before, []), "not even a try")


def check_peers(bed, partner):
    """Another gateway that demands certificates, pulled from and pushed to."""
    isg = bed.isg
    word = write(isg, "word", "secret of st-mary\n")
    url = "https://127.0.0.1:%d/api/" % bed.peer_port
    ca = os.path.join(partner.dir, "tls/ca.pem")
    usual = ["--url", url, "--user", "st-mary", "--password-file", word, "--allow-private"]
    pull = ["peer", "pull", *usual, "--from", "theirs", "--collection", "from-there"]
    push = ["peer", "push", *usual, "--from", "to-there", "--collection", "inbox"]
    objects = [indicator(n, "clear") for n in range(4)]
    partner.client("st-mary", "secret of st-mary").push("theirs", objects[:2])
    mary = isg.member("mary", "hospital")
    mary.push("to-there", objects[2:])
    for words in (pull, push):
        for more, name in (({"client_certificate": None, "client_key": None}, "no certificate"),
                           ({"ca": bed.ours.ca}, "another authority"), ({"proxy_auth_file": None}, "no login")):
            run = isg.run(*words, *bed.options(**{"ca": ca, **more}), check=False)
            ok(run.returncode != 0, "%s, %s: %s" % (words[1], name, run.stderr.strip()))
        run = isg.run(*words, *bed.options(ca=ca), check=False)
        same(run.returncode, 0, "%s through the proxy: %s" % (words[1], run.stderr.strip()))
    got = mary.pull("from-there")[0]
    same(sorted(o["id"] for o in got), sorted(o["id"] for o in objects[:2]), "what was pulled is here")
    reader = partner.client("reader", "secret of reader")
    got = reader.pull("inbox")[0]
    same(sorted(o["id"] for o in got), sorted(o["id"] for o in objects[2:]), "what was pushed is there")
    ok(bed.proxy.asked("127.0.0.1:%d" % bed.peer_port), "all of it through the proxy")


def check_webhook(bed):
    mary = bed.isg.client("mary", "secret of mary")
    new = indicator(9, "clear")
    mary.push("told", [new])
    until(lambda: Receiver.taken, 240)
    headers, body, shown = Receiver.taken[0] if Receiver.taken else ({}, {}, None)
    same([o["id"] for o in body.get("data", {}).get("objects", [])], [new["id"]], "a webhook through the proxy")
    same((headers.get("X-Api-Key"), subject(shown)), ("canary-key", "gateway"), "with its key and certificate")
    ok(bed.proxy.asked("hook.invalid:443"), "to the name, which the proxy looks up")

    def failures(name):
        return next(w for w in bed.isg.json("webhook", "status")["webhooks"] if w["name"] == name)["failures"]

    ok(until(lambda: failures("bare") > 0, 240), "one that shows no certificate is not let in")
    ok(until(lambda: failures("hook") == 0, 240), "the other is well")


def configure(bed):
    secret = write(bed.isg, "secret", "a text that is long enough for a key\n")
    hook = ("  - name: %s\n    url: https://hook.invalid/x\n    collection: told\n    secret_file: %s\n"
            "    interval: 1s\n    header_file: %s\n    ca: %s\n    proxy: %s\n    proxy_auth_file: %s\n%s")
    shows = "    client_certificate: %s\n    client_key: %s\n" % bed.client
    with open(os.path.join(bed.isg.dir, "isg.yaml"), "a") as f:
        f.write("webhooks:\n")
        for name, more in (("hook", shows), ("bare", "")):
            f.write(hook % (name, secret, bed.headers, bed.ours.ca, bed.proxy.url, bed.login, more))


def main():
    isg, partner = Instance("Here"), Instance("There")
    bed, port = Bed(isg), free_port()
    bed.open(port)
    configure(bed)
    partner.configure("tls", client_ca=bed.ours.ca)
    with open(os.path.join(partner.dir, "isg.yaml"), "a") as f:
        f.write('listeners:\n  - address: "127.0.0.1:%d"\n    client_certificates: required\n' % port)
    with isg, partner:
        partner.member("st-mary", "hospital", add_certificate=bed.client[0])
        partner.member("reader", "hospital")
        partner.collection("theirs", read="all", write="all")
        partner.collection("inbox", read="all", write="st-mary")
        for title in ("from-there", "to-there", "told"):
            isg.collection(title)
        check_feed(bed)
        check_redirect(bed)
        check_plain(bed)
        check_peers(bed, partner)
        check_webhook(bed)
        same([w for w in ("canary-key", "secret of", "X-Api-Key", MEDIA) if bed.proxy.saw(w)], [],
             "the proxy saw no secret and no word of what was said")
        same({h.split(" ")[0] for h in bed.proxy.heads}, {"CONNECT"}, "it was asked for tunnels alone")
        log = open(isg.log).read() + json.dumps([isg.json(k, "status") for k in ("feed", "peer", "webhook")])
        ok("canary" not in log and "secret of" not in log and "user:word" not in log, "no secret in log or status")


main()
done()
