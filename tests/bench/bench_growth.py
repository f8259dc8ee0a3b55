#!/usr/bin/env python3
"""How the cost of reading grows with a collection: first, middle and last page, by id, a narrow view.

    ISG=... LOAD=... PYTHONPATH=tests/support bench_growth.py [COUNT ...]

ISG and LOAD are release builds of isg and load_store. Each COUNT (1000 20000 1000000) is a collection
of its own on one Redis. Every page is measured when it is not in the page cache; then all of the last
collection is polled, its ids are counted, and the gateway is started again. Prints milliseconds
(median of ROUNDS) and the ratio of each row to its first column.
"""
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from urllib.parse import quote

from gateway import Instance, Redis

LOAD = os.environ["LOAD"]
COUNTS = [int(word) for word in sys.argv[1:]] or [1000, 20000, 1000000]
ROUNDS = 41


def rss(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


class Watch(threading.Thread):
    """The most memory a process had while this ran."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.stopped = pid, 0, False

    def run(self):
        while not self.stopped:
            self.most = max(self.most, rss(self.pid))
            time.sleep(0.02)


def timed(c, path):
    begun = time.perf_counter()
    answer = c.get(path)
    took = time.perf_counter() - begun
    if answer.status != 200:
        raise RuntimeError("%s: %d %s" % (path, answer.status, answer.body[:200]))
    return took * 1000, answer


def medians(asked):
    """Collections take turns, so that what else the machine does meets all of them alike."""
    took = [[] for _ in asked]
    for turn in zip(*(paths for _, paths in asked)):
        for (c, _), path, times in zip(asked, turn, took):
            times.append(timed(c, path)[0])
    return [statistics.median(times) for times in took]


def cases(c, path, count):
    """Name of a case -> paths that ask the same amount of work, none of them twice."""
    objects = path + "objects/"
    dates = dates_of(c, path, {"middle": count // 2, "last": count - 130})
    sizes = range(100 - ROUNDS // 2, 100 + ROUNDS // 2 + 1)
    rows = {}
    for place, date in dates.items():
        after = "&added_after=" + quote(date) if date else ""
        rows["page of 100, " + place] = [objects + "?limit=%d%s" % (n, after) for n in sizes]
        rows["manifest of 100, " + place] = [path + "manifest/?limit=%d%s" % (n, after) for n in sizes]
    ids = ["indicator--%08x-0000-4000-8000-%012x" % (n, n)
           for n in range(count // 2, count // 2 + ROUNDS)]
    rows["by id"] = [objects + i + "/" for i in ids]
    rows["match[id] of 10"] = [objects + "?match[id]=" + ",".join(
        "indicator--%08x-0000-4000-8000-%012x" % (n, n) for n in range(k, count, count // 10))
        for k in range(ROUNDS)]
    return rows


def dates_of(c, path, want):
    """Dates of these places, as the manifest tells them."""
    dates = {"first": ""}
    for place, position in want.items():
        id = "indicator--%08x-0000-4000-8000-%012x" % (position, position)
        row = timed(c, path + "manifest/?match[id]=" + id)[1].json["objects"][0]
        dates[place] = row["date_added"]
    return dates


def poll(c, path, limit=1000):
    """Seconds, ids and pages of a full poll by `next`; ids are cut out of the text, as a page is."""
    seen, n, after, pages = set(), 0, None, 0
    begun = time.perf_counter()
    while True:
        body = timed(c, "%s?limit=%d%s" % (path, limit, "&next=" + quote(after) if after else ""))[1].body
        ids = re.findall(rb'"id":"(indicator--[0-9a-f-]{36})"', body)
        seen.update(ids)
        n += len(ids)
        pages += 1
        token = re.search(rb'"next":"([^"]*)"', body[:400] + body[-400:])
        if token is None:
            return time.perf_counter() - begun, len(seen), n, pages
        after = token.group(1).decode()


def table(asked):
    """Rows of milliseconds, each with its ratio to the smallest collection that has the row."""
    print("%-26s" % "ms" + "".join("%16d" % n for n in COUNTS))
    for name in asked[-1]:
        took = medians([rows[name] for rows in asked if name in rows])
        cells = [""] * (len(asked) - len(took)) + ["%.2f (%.2f)" % (t, t / took[0]) for t in took]
        print("%-26s" % name + "".join("%16s" % c for c in cells), flush=True)


def load(redis, collection, count):
    begun = time.perf_counter()
    subprocess.run([LOAD, redis.url, collection, str(count)], check=True)
    print("loaded %d in %.1f s" % (count, time.perf_counter() - begun), flush=True)


def main():
    with Redis("--appendfsync", "no", "--auto-aof-rewrite-percentage", "0") as redis:
        with Instance(redis=redis.url, config="log:\n  level: warn\n") as isg:
            loader, reader = isg.member("loader", "hospital"), isg.member("reader", "hospital")
            paths = []
            for count in COUNTS:
                id = isg.collection("of-%d" % count, write="loader")
                load(redis, id, count)
                paths.append("/api/collections/of-%d/" % count)
            asked = []
            for path, count in zip(paths, COUNTS):
                rows = {n: (loader, p) for n, p in cases(loader, path, count).items()}
                if count >= 20000:
                    rows.update({n: (reader, p) for n, p in narrow(reader, path, count).items()})
                asked.append(rows)
            table(asked)
            finish(isg, redis, loader, reader, paths[-1], COUNTS[-1])


def narrow(reader, path, count):
    """One event in a thousand is seen: pages of ten of them, at the start and in the middle."""
    middle = dates_of(reader, path, {"middle": count // 2000 * 1000})["middle"]
    asked = ["objects/?limit=10&match[type]=indicator,x%d" % k for k in range(ROUNDS)]
    return {"narrow view, first": [path + a for a in asked],
            "narrow view, middle": ["%s%s&added_after=%s" % (path, a, quote(middle)) for a in asked]}


def finish(isg, redis, loader, reader, path, count):
    watch = Watch(isg.process.pid)
    watch.start()
    took, ids, n, pages = poll(loader, path + "objects/")
    print("full poll: %.1f s, %d objects, %d ids, %d pages; wanted %d" % (took, n, ids, pages, count))
    took, ids, n, pages = poll(reader, path + "objects/", 100)
    print("narrow poll: %.2f s, %d objects, %d ids, %d pages" % (took, n, ids, pages))
    watch.stopped = True
    print("memory of the gateway: %.0f MiB at most" % watch.most)
    print("stop: %d" % isg.stop())
    begun = time.perf_counter()
    isg.start()
    print("start: %.2f s to ready" % (time.perf_counter() - begun))
    loader.close()
    begun = time.perf_counter()
    timed(loader, path + "objects/?limit=100")
    print("first page after it: %.0f ms (with TLS and password)" % ((time.perf_counter() - begun) * 1000))
    reader.close()
    timed(reader, "/taxii2/")
    print("narrow page after it: %.0f ms" % timed(reader, path + "objects/?limit=100")[0])
    print("Redis holds %s" % re.search(r"used_memory_human:(\S+)", redis.cli("info", "memory")).group(1))


main()
