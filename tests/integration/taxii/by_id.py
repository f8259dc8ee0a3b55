#!/usr/bin/env python3
"""Objects by id, many of one block: read ahead, kept, and never older or other than they may be.

Three members ask the same URLs: what one sees another must not get, whoever asked first (R-050).
What is pushed or deleted elsewhere leaves the answers kept; what changes an object changes its own
at once, and within a second behind another gateway.
"""
import os
import random
import re
import socket
import threading
import time

from gateway import Instance, Redis, done, indicator, ok, same

COUNT = 60
ANSWERS = int(os.environ.get("ISG_ANSWERS", "3000"))  # 100,000 with --long
LATER = "2026-02-05T08:00:00.000Z"


def built(isg):
    """Pages that were built from the store so far."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(isg.dir, "admin.sock"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = b""
        while piece := s.recv(65536):
            text += piece
    found = re.search(rb'^isg_pages_total{from="store"} (\d+)$', text, re.M)
    return int(found.group(1)) if found else 0


def is_red(n):
    return n % 3 == 0


def url(collection, n):
    return "/api/collections/%s/objects/%s/" % (collection, indicator(n)["id"])


def ask_all(client, collection, things):
    """Names of the objects that are answered otherwise than they should be; None: hidden."""
    wrong = []
    for n, thing in things.items():
        answer = client.get(url(collection, n))
        want = (200, [thing]) if thing else (404, [])
        if (answer.status, answer.json.get("objects", [])) != want:
            wrong.append((n, answer.status, answer.body[:100]))
    return wrong


def crossed(client, collection, names, shown, seed, wrong):
    """Random answers for one member, while others ask for the same."""
    dice = random.Random(seed)
    for _ in range(ANSWERS // 6):
        if dice.random() < 0.9:
            n = dice.choice(names)
            answer = client.get(url(collection, n))
            got, want = answer.json.get("objects", []), [shown[n]] if shown[n] else []
        else:
            answer = client.get("/api/collections/%s/objects/?limit=1000" % collection)
            got, want = answer.json["objects"], [thing for thing in shown.values() if thing]
        if got != want:
            wrong.append((seed, answer.status, answer.body[:100]))


def one_gateway():
    with Instance() as isg:
        sender = isg.member("hospital-a", "hospital")
        other = isg.member("hospital-b", "hospital")
        staff = isg.member("staff-1", "isao_staff")
        collection = isg.collection("observed")
        things = {n: indicator(n, "red" if is_red(n) else "green") for n in range(COUNT)}
        hidden = {n: None if is_red(n) else things[n] for n in things}
        sender.push(collection, list(things.values()))
        before = built(isg)
        same(ask_all(sender, collection, things), [], "the sender gets each object by its id")
        ok(built(isg) - before < COUNT / 2, "most of them were read ahead")
        same(ask_all(other, collection, hidden), [], "R-050: what is hidden from another is not there")
        same(ask_all(staff, collection, things), [], "staff sees all of them")

        tags = {n: sender.get(url(collection, n)).headers["ETag"] for n in things}
        sender.push(collection, [indicator(1000, "green")])
        before = built(isg)
        known = [sender.get(url(collection, n), **{"If-None-Match": tags[n]}).status for n in things]
        same((set(known), built(isg) - before), ({304}, 0), "a push of something else drops none")
        head = sender.request("HEAD", url(collection, 1))
        same((head.status, head.body, head.headers["ETag"]), (200, b"", tags[1]), "HEAD has the tag")

        for n in (1, 3):  # one that the other sees, and one that is hidden from him
            things[n] = dict(things[n], modified=LATER, name="another name")
            sender.push(collection, [things[n]])
        hidden[1] = things[1]
        same(ask_all(sender, collection, things), [], "a newer version is there at once")
        same(ask_all(other, collection, hidden), [], "for the other too")
        answer = sender.get(url(collection, 1), **{"If-None-Match": tags[1]})
        same((answer.status, answer.headers["ETag"] == tags[1]), (200, False), "under another tag")
        sender.push(collection, [dict(things[2], modified="2025-01-01T00:00:00.000Z",
                                      created="2025-01-01T00:00:00.000Z")])
        same(ask_all(sender, collection, things), [], "an older version that came late is not shown")
        for n in (4, 6):
            sender.request("DELETE", url(collection, n))
            things[n] = hidden[n] = None
        same(ask_all(sender, collection, things), [], "what was deleted is gone at once")
        same(ask_all(other, collection, hidden), [], "for the other too")
        same(ask_all(staff, collection, things), [], "and for staff")

        # by their place in the log: a newer version comes last
        things, hidden = ({n: {**shown, 1000: indicator(1000, "green")}[n]
                           for n in [n for n in shown if n not in (1, 3)] + [1000, 1, 3]}
                          for shown in (things, hidden))
        wrong = []
        crowd = [threading.Thread(target=crossed, args=(
            isg.client(name, "secret of " + name), collection, list(things), shown, seed, wrong))
            for seed, (name, shown) in enumerate([("hospital-a", things), ("hospital-b", hidden),
                                                  ("staff-1", things)] * 2)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        same(wrong[:3], [], "R-050: %d answers to three members at once, none crossed" % ANSWERS)


def two_gateways():
    with Redis() as redis, Instance(redis=redis.url) as first:
        sender = first.member("hospital-a", "hospital")
        collection = first.collection("observed")
        things = {n: indicator(n, "green") for n in range(COUNT)}
        sender.push(collection, list(things.values()))
        with Instance(redis=redis.url, like=first) as second:
            reader = second.client("hospital-a", "secret of hospital-a")
            same(ask_all(reader, collection, things), [], "the other gateway has them")
            things[7] = dict(things[7], modified=LATER)
            sender.push(collection, [things[7]])
            sender.request("DELETE", url(collection, 8))
            things[8] = None
            time.sleep(1.05)
            same(ask_all(reader, collection, things), [],
                 "a second behind the first one it shows no older version and nothing deleted")


one_gateway()
two_gateways()
done()
