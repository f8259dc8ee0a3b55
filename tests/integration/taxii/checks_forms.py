"""The forms of a page: plain and gzip, their tags, and what is built once for many."""
import gzip
import os
import signal
import threading
import time

from harness import TAXII, indicator

PAGE = "objects/"
TAKES = "gzip, deflate"


def forms(w):
    """RFC 9110, 8.4 and 8.8.3: gzip for those who ask, under a tag of its own."""
    b, a = w.book, w.client("hospital-a")
    w.COLLECTIONS["forms"] = ("api", None, w.NOT_NOBODY, w.NOT_NOBODY)
    w.id["forms"] = w.make_collection("forms", *w.COLLECTIONS["forms"])
    url = w.url("forms") + PAGE
    a.push(w.url("forms"), [indicator(900 + n) for n in range(20)])
    plain = a.get(url)
    packed = a.get(url, Accept_Encoding=TAKES)
    b.equal("gzip", (plain.status, plain.header("Content-Encoding")), (200, None),
            "plain for who does not ask")
    b.equal("gzip", (packed.status, packed.header("Content-Encoding")), (200, "gzip"),
            "gzip for who does, from the first answer on")
    b.equal("gzip", gzip.decompress(packed.body), plain.body, "and it is the same page")
    b.ok("gzip", len(packed.body) * 3 < len(plain.body), "in less than a third of the bytes",
         (len(packed.body), len(plain.body)))
    b.equal("gzip", packed.header("Content-Type"), TAXII, "the type stays (T-013)")
    b.equal("T-027", packed.header("X-TAXII-Date-Added-Last"),
            plain.header("X-TAXII-Date-Added-Last"), "the dates stay")
    for value, coding in (("gzip;q=0", None), ("identity", None), ("*", "gzip"), ("br", None),
                          ("gzip;q=0.5, identity", None), ("br, x-gzip;q=0.1", "gzip"), ("", None)):
        r = a.get(url, Accept_Encoding=value)
        b.equal("gzip", r.header("Content-Encoding"), coding, "Accept-Encoding: " + value)
        b.equal("gzip", (gzip.decompress(r.body) if coding else r.body), plain.body, "the same page")
    for r in (plain, packed):
        vary = {v.strip().lower() for v in (r.header("Vary") or "").split(",")}
        b.equal("Vary", vary, {"accept", "accept-encoding", "authorization"}, "on every form")
    manifest = a.get(w.url("forms") + "manifest/", Accept_Encoding="gzip")
    b.equal("gzip", gzip.decompress(manifest.body), a.get(w.url("forms") + "manifest/").body,
            "the manifest has it, too")
    short = a.get(w.url("forms") + "objects/?limit=1", Accept_Encoding="gzip")
    b.equal("gzip", (short.header("Content-Encoding"), len(short.body) < 1024), (None, True),
            "a short page stays plain")
    wrong = a.get(url + "?match[colour]=1&limit=0", Accept_Encoding="gzip")
    b.equal("gzip", (wrong.status, wrong.header("Content-Encoding")), (400, None),
            "so does an error")
    tags(w, url, plain, packed)


def tags(w, url, plain, packed):
    b, a = w.book, w.client("hospital-a")
    mine, other = packed.header("ETag"), plain.header("ETag")
    b.ok("ETag", mine != other and mine.startswith('"'), "each form has its own strong tag",
         (mine, other))
    for tag in (mine, other):
        for coding in ("gzip", None):
            headers = {"If_None_Match": tag}
            if coding is not None:
                headers["Accept_Encoding"] = coding
            r = a.get(url, **headers)
            b.equal("304", (r.status, r.header("ETag"), r.header("Content-Encoding")),
                    (304, tag, None), "whatever form the client has, it is current")
            b.ok("Vary", "Accept-Encoding" in (r.header("Vary") or ""), "and on 304")
    b.equal("304", a.get(url, If_None_Match="*", Accept_Encoding="gzip").header("ETag"), mine,
            "* stands for the form that would be sent")
    h = a.ask("HEAD", url, headers={"Accept-Encoding": "gzip"})
    names = ("Content-Encoding", "Content-Length", "ETag", "Vary", "X-TAXII-Date-Added-First")
    b.equal("HEAD", [h.header(n) for n in names], [packed.header(n) for n in names],
            "HEAD has the headers of the gzip form")
    h = a.ask("HEAD", url)
    b.equal("HEAD", [h.header(n) for n in names], [plain.header(n) for n in names],
            "and of the plain one")
    pushed = indicator(950)
    a.push(w.url("forms"), [pushed])
    r = a.get(url, If_None_Match=mine, Accept_Encoding="gzip")
    b.equal("304", (r.status, r.header("Content-Encoding")), (200, "gzip"),
            "a push makes both forms anew")
    b.ok("T-039", pushed["id"].encode() in gzip.decompress(r.body), "with what was pushed")
    h = a.ask("HEAD", w.url("forms") + "objects/?limit=19", headers={"Accept-Encoding": "gzip"})
    r = a.get(w.url("forms") + "objects/?limit=19", Accept_Encoding="gzip")
    b.equal("HEAD", [h.header(n) for n in names], [r.header(n) for n in names],
            "HEAD may be the first to ask for a page")


def pages_built(w):
    return w.server.metric('isg_pages_total{from="store"}')


def ask_together(w, url, n, **headers):
    """n requests at the same moment, sent while the store cannot answer."""
    answers = []
    clients = [w.client("hospital-a") for _ in range(n)]
    for client in clients:
        client.get("/taxii2/")
    threads = [threading.Thread(target=lambda c=c: answers.append(c.get(url, **headers)))
               for c in clients]
    redis = w.server.redis_pid()
    os.kill(redis, signal.SIGSTOP)
    try:
        for thread in threads:
            thread.start()
        time.sleep(0.3)
    finally:
        os.kill(redis, signal.SIGCONT)
    for thread in threads:
        thread.join()
    return answers


def shared_builds(w):
    """Identical misses share one fetch."""
    b = w.book
    url = w.url("forms") + "objects/?limit=17"
    before = pages_built(w)
    answers = ask_together(w, url, 12)
    b.equal("one build", pages_built(w) - before, 1, "twelve ask for one page, it is built once")
    b.equal("one build", ({r.status for r in answers}, len({r.body for r in answers})), ({200}, 1),
            "and all get it")
    packed = ask_together(w, w.url("forms") + "objects/?limit=16", 12, Accept_Encoding="gzip")
    b.equal("one build", pages_built(w) - before, 2, "also with gzip")
    bodies = {gzip.decompress(r.body) if r.header("Content-Encoding") else r.body for r in packed}
    b.equal("one build", ({r.status for r in packed}, len(bodies)), ({200}, 1), "and all get it")


def counted(w):
    """limits.cache_bytes bounds what is kept, gzip forms included."""
    b, a = w.book, w.client("hospital-a")
    for limit in range(2, 40):
        a.get(w.url("forms") + "objects/?limit=%d" % limit, Accept_Encoding="gzip")
    used = w.server.metric("isg_cache_bytes")
    b.ok("metrics", 0 < used <= 8 << 20, "isg_cache_bytes is within its bound", used)
    b.ok("metrics", w.server.metric('isg_pages_total{from="cache"}') > 0, "hits and misses are counted")


PARTS = [forms, shared_builds, counted]
