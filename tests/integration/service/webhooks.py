#!/usr/bin/env python3
"""Webhooks: a receiver that fails, is slow, loses answers and sends its callers elsewhere. It checks
the signature as the Standard Webhooks text has it, and the key that names a delivery."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import signal
import threading
import time
from urllib.parse import urlsplit

from gateway import Instance, done, indicator, ok, same

SECRETS = {"/siem": b"a text that is long enough for a key", "/bell": bytes(range(32))}
PATIENCE = 240  # seconds for what must happen at all


class Receiver(http.server.BaseHTTPRequestHandler):
    """What it does to a POST to /siem is the next of `plan`, and `normal` after that."""
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    plan, normal = [], 200
    tries = []      # (path, key, body) of each try
    taken = {}      # path: [(key, body)] of those answered 2xx
    wrong = []      # what was wrong with a request
    strays = []     # requests that a redirect led here

    def log_message(self, *_):
        pass

    def check(self, body):
        key, when = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "0")
        text = b".".join([key.encode(), when.encode(), body])
        mac = hmac.new(SECRETS[self.path], text, hashlib.sha256).digest()
        if self.headers.get("webhook-signature") != "v1," + base64.b64encode(mac).decode():
            return "signature"
        if self.headers.get("Idempotency-Key") != key or not key:
            return "key"
        if self.path == "/siem" and self.headers.get("X-Api-Key") != "a key of the receiver":
            return "header of the setting"
        if abs(time.time() - int(when)) > 300:
            return "timestamp"
        return None if self.headers.get("Content-Type") == "application/json" else "content type"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path not in SECRETS:
            Receiver.strays.append(self.path)
            return self.answer(200)
        with Receiver.lock:
            wrong = self.check(body)
            if wrong:
                Receiver.wrong.append(wrong)
            key = self.headers["webhook-id"]
            Receiver.tries.append((self.path, key, body))
            action = 200
            if self.path == "/siem":
                action = Receiver.plan.pop(0) if Receiver.plan else Receiver.normal
            if action == "at most 3":
                action = 413 if len(json.loads(body)["data"]["objects"]) > 3 else 200
            if action in (200, "slow", "lost", "cut"):
                Receiver.taken.setdefault(self.path, []).append((key, json.loads(body)))
        if action == "slow":
            time.sleep(1.5)
        if action == "lost":
            self.close_connection = True
        elif action == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: br\r\n\r\ncut")
            self.close_connection = True
        else:
            self.answer(200 if action == "slow" else action)

    def answer(self, code):
        self.send_response(code)
        self.send_header("Content-Length", "0")
        if code == 302:
            self.send_header("Location", "/elsewhere")
        if code == 503:
            self.send_header("Retry-After", "2")
        self.end_headers()

    do_GET = do_POST


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that are killed are the point


def until(condition, name):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return ok(True, name)
        time.sleep(0.02)
    return ok(False, name)


def taken(path="/siem"):
    """Ids of the objects delivered, each as often as it was, but once per key."""
    return [o["id"] for body in dict(Receiver.taken.get(path, [])).values()
            for o in body["data"]["objects"]]


def has(objects):
    return lambda: {o["id"] for o in objects} <= set(taken())


def status(isg, name="siem"):
    return {w["name"]: w for w in isg.json("webhook", "status")["webhooks"]}[name]


class Numbers:
    at = 0

    @classmethod
    def some(cls, n, tlp="amber"):
        cls.at += n
        return [indicator(cls.at - n + i, tlp) for i in range(n)]


def visibility(isg, hospital, partner):
    red, theirs, some = Numbers.some(1, "red"), Numbers.some(1), Numbers.some(5) + Numbers.some(2, "clear")
    partner.push("out", theirs)
    hospital.push("out", red + some)
    until(has(some), "what the member may see arrives")
    same(sorted(taken()), sorted(o["id"] for o in some), "nothing RED, nothing it brought itself, each once")
    delivery = Receiver.taken["/siem"][0][1]
    same((delivery["type"], delivery["data"]["title"]), ("objects.added", "out"), "what a delivery says")
    ok(all(o in some for _, body in Receiver.taken["/siem"] for o in body["data"]["objects"]),
       "the objects are as they were pushed")
    ok(max(len(body["data"]["objects"]) for _, body in Receiver.taken["/siem"]) <= 5, "at most `batch`")


def notices(isg, partner):
    def told():
        return sum(body["data"]["count"] for body in dict(Receiver.taken.get("/bell", [])).values())

    until(lambda: told() == 7, "the notices tell of all seven")
    ok(all("objects" not in body["data"] for _, body in Receiver.taken["/bell"]), "without the objects")
    first = Receiver.taken["/bell"][0][1]["data"]
    same(Receiver.taken["/bell"][0][1]["type"], "collection.changed", "the type of a notice")
    page = partner.get(urlsplit(first["url"]).path + "?added_after=" + first["added_after"]).json
    ok(len(page["objects"]) >= first["count"], "the place it names has them")


def failures(isg, hospital):
    for action in (302, 503, "lost", 400):
        Receiver.plan[:] = [action]
        begin, some = len(Receiver.tries), Numbers.some(2)
        hospital.push("out", some)
        until(lambda: has(some)() and status(isg)["backlog"] == 0 and not status(isg)["pending"],
              "%s: tried again" % action)
        tries = [t for t in Receiver.tries[begin:] if t[0] == "/siem"]
        same(len(tries), 2, "%s: twice" % action)
        same(tries[0], tries[1], "%s: the same key, the same body" % action)
    same(Receiver.strays, [], "a redirect is not followed")
    Receiver.plan[:] = ["cut"]
    begin, some = len(Receiver.tries), Numbers.some(1)
    hospital.push("out", some)
    until(lambda: has(some)() and status(isg)["backlog"] == 0, "2xx takes it, whatever comes behind the head")
    same(len([t for t in Receiver.tries[begin:] if t[0] == "/siem"]), 1, "and it is not sent again")
    Receiver.plan[:] = ["slow"]
    some = Numbers.some(1)
    hospital.push("out", some)
    until(has(some), "a slow one is waited for")
    Receiver.normal = "at most 3"
    some = Numbers.some(5)
    hospital.push("out", some)
    until(has(some), "413: smaller deliveries")
    Receiver.normal = 413
    some = Numbers.some(2)
    hospital.push("out", some)
    until(lambda: "413" in (status(isg).get("last_error") or ""), "413 to everything, however small, stops")
    ok(status(isg)["backlog"] == 2 and status(isg)["sent_refused"] == 0, "and nothing is passed over")
    Receiver.normal = 200
    until(lambda: has(some)() and status(isg)["failures"] == 0, "until the receiver takes them")


def restart(isg, hospital):
    Receiver.normal = 500
    begin, some = len(Receiver.tries), Numbers.some(2)
    hospital.push("out", some)
    until(lambda: status(isg)["failures"] >= 1, "a delivery fails")
    ok("500" in status(isg)["last_error"] and status(isg)["backlog"] >= 2, "the operator is told")
    isg.stop(signal.SIGKILL)
    isg.start()
    hospital.close()
    more = Numbers.some(2)
    hospital.push("out", more)
    Receiver.normal = 200
    until(has(some + more), "after a kill all of it arrives")
    tries = [t for t in Receiver.tries[begin:] if t[0] == "/siem"]
    ids = [o["id"] for o in some]
    same({t[1:] for t in tries if ids[0].encode() in t[2]}, {tries[0][1:]},
         "under the key it had before, although there is more by now")
    same(len(set(k for _, k, _ in tries)), 2, "and the rest under another")


def refusals(isg, hospital):
    for words, text in ((("url: http://siem.example/",), "https"), (("url: https://siem.example/", "batch: 0"),
                                                                    "batch")):
        path = os.path.join(isg.base, "wrong.yaml")
        with open(path, "w") as f:
            f.write("webhooks:\n  - name: x\n    collection: out\n    secret_file: s\n" +
                    "".join("    %s\n" % w for w in words))
        result = isg.run("check-config", path, check=False)
        ok(result.returncode == 78 and text in result.stderr, "refused: %s" % result.stderr.strip())
    with open(os.path.join(isg.base, "siem.secret"), "w") as f:
        f.write("short\n")
    begin = len([t for t in Receiver.tries if t[0] == "/siem"])
    hospital.push("out", Numbers.some(1))
    until(lambda: "secret" in (status(isg).get("last_error") or ""), "a key that is too short is told")
    same(len([t for t in Receiver.tries if t[0] == "/siem"]), begin, "and nothing is sent")
    same(isg.run("webhook", "run", "nobody", check=False).returncode, 1, "no such webhook")
    listed = isg.run_feed("siem", "--dry-run", "--json", kind="webhook")
    ok(listed.returncode != 0 and "secret" in listed.stderr, "a dry run says so, too")


server = Server(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
isg = Instance("Telling")
for name, text in (("siem.secret", SECRETS["/siem"].decode()), ("siem.headers", "X-Api-Key: a key of the receiver"),
                   ("bell.secret", "whsec_" + base64.b64encode(SECRETS["/bell"]).decode())):
    with open(os.path.join(isg.base, name), "w") as f:
        f.write(text + "\n")
    os.chmod(f.name, 0o600)
with open(os.path.join(isg.dir, "isg.yaml"), "a") as f:
    f.write("webhooks:\n")
    for name, more in (("siem", "batch: 5\n    header_file: ../siem.headers"), ("bell", "content: notice")):
        f.write("  - name: %s\n    url: http://127.0.0.1:%d/%s\n    collection: out\n    member: partner\n"
                "    secret_file: ../%s.secret\n    interval: 1s\n    allow_private: true\n    %s\n"
                % (name, server.server_port, name, name, more))
with isg:
    hospital = isg.member("hospital", "hospital")
    partner = isg.member("partner", "coordinator")
    isg.collection("out", read="partner")
    visibility(isg, hospital, partner)
    notices(isg, partner)
    failures(isg, hospital)
    restart(isg, hospital)
    refusals(isg, hospital)
    same(Receiver.wrong, [], "every request was signed, and named by a key")
    with open(isg.log) as log:
        text = log.read()
        ok("a key of" not in text and all(form not in text for secret in SECRETS.values()
               for form in (secret.decode(), base64.b64encode(secret).decode())), "no secret in the log")
server.shutdown()
done()
