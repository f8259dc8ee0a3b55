#!/usr/bin/env python3
"""The main job: a hospital pushes, a manufacturer pulls, an export is signed and checked."""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

from gateway import Instance, done, indicator, ok, same


def export_and_verify(isg, collection):
    target = os.path.join(isg.base, "feed.json")
    facts = isg.json("export", "--collection", collection, "--as", "pumpmaker", "-o", target)
    same(facts["objects"], 3, "the export holds what the manufacturer may see")
    for suffix in ("", ".objects", ".jws", ".minisig"):
        ok(os.path.exists(target + suffix), "export wrote feed.json%s" % suffix)
    answer = isg.run("verify", target)
    ok(answer.stdout.startswith("OK"), "verify says OK")
    return target


def third_party(isg, target):
    """signing, section 4: standard tools check what we signed."""
    public = os.path.join(isg.dir, "public")
    if shutil.which("minisign"):
        code = subprocess.run(["minisign", "-V", "-H", "-m", target, "-p",
                               os.path.join(public, "isao.minisign.pub")],
                              capture_output=True).returncode
        same(code, 0, "minisign verifies the bundle")
    script = r"""
        f="$1.jws"; cd "$(dirname "$1")"
        cut -d. -f1,2 $f | tr -d '\n' > tbs
        cut -d. -f3 $f | tr -d '\n' | tr '_-' '/+' | sed 's/$/==/' | base64 -d > sig
        openssl pkeyutl -verify -pubin -inkey "$2" -rawin -in tbs -sigfile sig
    """
    code = subprocess.run(["sh", "-ec", script, "sh", target, os.path.join(public, "isao.pem")],
                          capture_output=True).returncode
    same(code, 0, "openssl verifies the statement")


def tampered(isg, target):
    """One changed byte anywhere makes the check fail."""
    for suffix in ("", ".objects", ".jws", ".minisig"):
        path = target + suffix
        with open(path, "rb") as f:
            good = f.read()
        for at in (len(good) // 3, len(good) // 2, len(good) - 2):
            bad = bytearray(good)
            bad[at] ^= 1
            with open(path, "wb") as f:
                f.write(bad)
            result = isg.run("verify", target, check=False)
            ok(result.returncode == 1 and result.stdout.startswith("E_"),
               "byte %d of feed.json%s changed: %s" % (at, suffix, result.stdout.strip()[:60]))
        with open(path, "wb") as f:
            f.write(good)
    same(isg.run("verify", target).returncode, 0, "and whole again it holds")


def metrics(isg, collection):
    """What an operator watches."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(isg.dir, "admin.sock"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    values = dict(re.findall(r"(?m)^(isg_\S+) (\d+)", text))
    same(values['isg_objects_total{collection="%s"}' % collection], "3", "where a log stands")
    ok(int(values["isg_http_request_duration_seconds_count"]) > 5, "requests were timed")
    ok(int(values["isg_redis_command_duration_seconds_count"]) > 5, "and the store")
    ends = int(values['isg_key_expiry_timestamp_seconds{role="tls"}'])
    shown = ssl.cert_time_to_seconds(ssl._ssl._test_decode_cert(
        os.path.join(isg.dir, "tls/server.pem"))["notAfter"])
    same(ends, shown, "the certificate's end")


with Instance() as isg:
    hospital = isg.member("st-mary", "hospital")
    maker = isg.member("pumpmaker", "mdm")
    collection = isg.collection("observed", write="st-mary")
    pushed = hospital.push(collection, [indicator(i, "green") for i in range(3)])
    same(pushed.status, 202, "push is accepted")
    same((pushed.json["status"], pushed.json["success_count"], pushed.json["failure_count"]),
         ("complete", 3, 0), "all three succeeded")
    status = hospital.get("/api/status/%s/" % pushed.json["id"])
    same(status.json["success_count"], 3, "the status says the same later")
    objects, pages = maker.pull(collection, limit=2)
    same(sorted(o["id"] for o in objects), sorted(indicator(i)["id"] for i in range(3)),
         "the manufacturer pulls them")
    same(pages, 2, "in two pages")
    same({o["id"]: o for o in objects}[indicator(1)["id"]], indicator(1, "green"),
         "property for property as sent")
    same(maker.push(collection, [indicator(9)]).status, 403, "he may not write")
    feed = export_and_verify(isg, "observed")
    third_party(isg, feed)
    tampered(isg, feed)
    token = isg.run("member", "token", "pumpmaker").stdout.strip()
    same(isg.client(token=token).get("/taxii2/").status, 200, "a bearer token works")
    isg.run("member", "suspend", "pumpmaker")
    same(maker.get("/taxii2/").status, 401, "a suspended member is out at once")
    metrics(isg, collection)
    same(isg.stop(), 0, "SIGTERM ends the service with 0")
    isg.start()
    again, _ = hospital.pull(collection)
    same(len(again), 3, "after a restart everything is there")
done()
