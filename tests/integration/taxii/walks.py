#!/usr/bin/env python3
"""The walks of clients that keep their own place, each as its source shows it, on a real gateway.

A platform that takes one page a run and keeps the token in a database; an agent that forgets the
filters from page two on; connectors that cut dates to milliseconds, send both cursors at once, or
use the root's URL as it stands. Each must end, and with every object.
"""
import json
import os
import re
import subprocess
from urllib.parse import quote, urlencode, urlsplit

from gateway import MEDIA, Instance, done, indicator, ok, same

COUNT = 57


def milliseconds(stamp):
    """What a JavaScript date keeps of it (X-34)."""
    return stamp[:-4] + "Z"


class Reader:
    """Reads pages of one collection and notes what came, in order, repeats left out."""

    def __init__(self, client, path):
        self.client, self.path = client, path
        self.ids, self.pages, self.repeats = [], 0, 0

    def page(self, query, **headers):
        text = urlencode({k: v for k, v in query.items() if v is not None})
        answer = self.client.get(self.path + ("?" + text if text else ""), **headers)
        if answer.status != 200:
            raise RuntimeError("%s: %d %s" % (text, answer.status, answer.body))
        self.pages += 1
        for thing in answer.json.get("objects", []):
            self.repeats += thing["id"] in self.ids
            if thing["id"] not in self.ids:
                self.ids.append(thing["id"])
        return answer


def token_of_a_run(isg, client, path, want):
    """One page a run, the token in a database, and a new start of the service in between (X-33)."""
    for limit in (20, None):
        reader, token = Reader(client, path), None
        while True:
            answer = reader.page({"limit": limit, "next": token})
            if not answer.json.get("more"):
                break
            token = answer.json["next"]
            client.close()
            if reader.pages == 2:
                isg.stop()
                isg.start()
        same((reader.ids, reader.repeats), (want, 0), "one page a run, limit %s" % limit)
    first = client.get(path + "?limit=20").json["next"]
    again = [client.get(path + "?limit=%d&next=%s" % (n, quote(first))).json["objects"]
             for n in (20, 20, 5)]
    same(again[0], again[1], "a token answers twice alike (X-11)")
    same(again[2], again[0][:5], "and with another limit (X-12)")


def dates_in_milliseconds(client, path, want):
    """added_after cut to three digits, alone and beside `next` (X-07, X-34)."""
    for both in (False, True):
        for limit in (1, 10, 40):
            reader, token, after = Reader(client, path), None, None
            while True:
                answer = reader.page({"limit": limit, "next": token,
                                      "added_after": after if both or token is None else None})
                after = milliseconds(answer.headers["X-TAXII-Date-Added-Last"])
                token = answer.json.get("next")
                if not answer.json.get("more"):
                    break
            same((reader.ids, reader.repeats), (want, 0), "milliseconds, limit %d, %s" % (
                limit, "both cursors" if both else "one cursor"))
            rest = reader.page({"limit": COUNT, "added_after": after}).json.get("objects", [])
            ok(set(o["id"] for o in rest) <= set(want[-len(rest):] if rest else []),
               "the next poll repeats at most the last millisecond")


def filters_forgotten(client, path, want):
    """Page one with added_after, the others with limit and token alone; a type on a GET (X-05, X-07)."""
    reader = Reader(client, path)
    query = {"added_after": "2020-01-01T00:00:00Z", "limit": 10}
    while query is not None:
        answer = reader.page(query, **{"Content-Type": MEDIA})
        query = {"next": answer.json["next"], "limit": 10} if "next" in answer.json else None
    same((reader.ids, reader.repeats, reader.pages), (want, 0, 6), "an agent that forgets filters")


def by_date_alone(client, path, want):
    """No token at all: strictly after the header's date (T-059, T-063, X-06)."""
    for endpoint in ("objects/", "manifest/"):
        for limit in (1, 7, 56):
            reader, after = Reader(client, path.replace("objects/", endpoint)), None
            more = True
            while more:
                answer = reader.page({"limit": limit, "added_after": after})
                after, more = answer.headers["X-TAXII-Date-Added-Last"], answer.json.get("more")
            same((reader.ids, reader.repeats), (want, 0), "%s by date alone, limit %d" % (endpoint, limit))


def first_page_only(client, path, want):
    """Who never asks for a second page, nor for a limit, gets as much as a page holds (X-10)."""
    same([o["id"] for o in client.get(path).json["objects"]], want, "one request without limit")


def root_as_it_stands(isg, client, collection, want):
    """The discovery's `default` is put before the paths as it is (X-35); slashes may be missing (X-01)."""
    found = client.get("/taxii2").json
    parts = urlsplit(found["default"])
    same((parts.scheme, parts.netloc, parts.path), ("https", "127.0.0.1:%d" % isg.port, "/api/"),
         "an absolute URL")
    root = parts.path.rstrip("/")
    listed = client.get(root + "/collections").json["collections"]
    ok(collection in [c["id"] for c in listed], "the list, without the last slash")
    got = client.get("%s/collections/%s/objects?limit=1000" % (root, collection)).json["objects"]
    same([o["id"] for o in got], want, "the objects, without the last slash")


def accept_of_libraries(client, path):
    """What HTTP libraries send when nobody sets it (X-02), and no agent's name (T-026)."""
    for accept in ("*/*", "application/json, text/plain, */*", "application/taxii+json",
                   "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;version=2.1",
                   "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"):
        answer = client.get(path + "?limit=1", Accept=accept)
        same((answer.status, answer.headers["Content-Type"]), (200, MEDIA), "Accept: " + accept)


def refused(isg, path):
    """A wrong password is told as such, in a TAXII error, never as an empty answer (X-15, X-22)."""
    answer = isg.client("st-mary", "wrong").get(path)
    same((answer.status, answer.headers["Content-Type"], answer.json["http_status"]),
         (401, MEDIA, "401"), "a wrong password")
    ok("Basic realm=" in answer.headers["WWW-Authenticate"], "Basic is offered (X-23)")


def looked_up(isg):
    """Values that the private Redis was asked for, one by one, since it started."""
    said = subprocess.run(["redis-cli", "-s", os.path.join(isg.dir, "redis/redis.sock"), "info",
                           "commandstats"], capture_output=True, text=True).stdout
    return int(re.search(r"cmdstat_get:calls=(\d+)", said).group(1))


def all_versions(isg, client):
    """A page of many versions costs no look-up for each of them, whether of many objects or of one, and
    whatever their markings are (T-147)."""
    collection = isg.collection("versions")
    dates = ["2026-02-%02dT%02d:%02d:00.000Z" % (1 + n // 1440, n // 60 % 24, n % 60) for n in range(1500)]
    many = [indicator(n, "green", modified=dates[k]) for k in range(3) for n in range(600)]
    one = [indicator(999, ("green", "amber", "red")[k % 3], modified=dates[k]) for k in range(1500)]
    for part in (many, one):
        for at in range(0, len(part), 900):
            client.push(collection, part[at:at + 900])
    before = looked_up(isg)
    got = client.pull(collection, limit=1000, query="match[version]=all", endpoint="manifest")[0]
    same([(r["id"], r["version"]) for r in got], [(o["id"], o["modified"]) for o in many + one],
         "all versions, in order")
    asked = looked_up(isg) - before
    ok(asked < 500, "%d look-ups for 3300 versions" % asked)


def heavy(isg, client):
    """A page is bounded in bytes, however few its objects are, and so is an answer to an export (T-147)."""
    collection = isg.collection("heavy")
    made = [indicator(n, "green", description="x" * (3900 << 10)) for n in range(10)]
    same({client.push(collection, [thing]).json["success_count"] for thing in made}, {1},
         "objects of 3.8 MiB")
    answer = client.get("/api/collections/%s/objects/" % collection)
    ok(len(answer.body) < 33 << 20 and answer.json["more"], "a page of %d bytes" % len(answer.body))
    ok(client.pull(collection)[0] == made, "the walk over such pages")
    same(client.pull(collection, endpoint="manifest")[1], 1, "records are small")
    path = os.path.join(isg.base, "heavy.json")
    isg.run("export", "--collection", collection, "--as", "st-mary", "-o", path)
    with open(path) as f:
        same(len([o for o in json.load(f)["objects"] if o["type"] == "indicator"]), 10,
             "an export takes more than one answer")


with Instance() as isg:
    hospital = isg.member("st-mary", "hospital")
    collection = isg.collection("observed")
    path = "/api/collections/%s/objects/" % collection
    made = [indicator(n, "green") for n in range(COUNT)]
    same(hospital.get(path).json, {}, "an empty collection is {} (X-15)")
    same(hospital.push(collection, made).json["success_count"], COUNT, "a bulk load in one push")
    want = [m["id"] for m in made]
    token_of_a_run(isg, hospital, path, want)
    dates_in_milliseconds(hospital, path, want)
    filters_forgotten(hospital, path, want)
    by_date_alone(hospital, path, want)
    first_page_only(hospital, path, want)
    root_as_it_stands(isg, hospital, collection, want)
    accept_of_libraries(hospital, path)
    refused(isg, path)
    all_versions(isg, hospital)
    heavy(isg, hospital)
done()
