#!/usr/bin/env python3
"""How time and memory of `isg validate` grow with a bundle.

    growth.py ISG BUNDLE [MEGABYTES ...]

The bundle's objects are repeated (with ids of their own) up to each size; printed are seconds,
MB/s and peak memory. Twice the size must not take more than twice the time, nor more memory.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid

SIZES = (1, 3, 10, 30, 100, 300)


def write(path, objects, size):
    """A bundle of at least so many bytes."""
    texts = [json.dumps(o, separators=(",", ":")) for o in objects]
    ids = [o["id"] for o in objects]
    with open(path, "w", encoding="utf-8") as out:
        written = out.write('{"type":"bundle","id":"bundle--%s","objects":[' % uuid.uuid4())
        i = 0
        while written < size:
            own = ids[i % len(ids)].split("--")[0] + "--" + str(uuid.uuid4())
            text = texts[i % len(texts)].replace(ids[i % len(ids)], own)
            written += out.write(("," if i else "") + text)
            i += 1
        out.write("]}")
    return i


def measure(isg, path):
    """Seconds and peak kilobytes of one run, whose child is the only one of a process."""
    script = (
        "import resource,subprocess,sys,time\n"
        "t=time.monotonic()\n"
        "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,timeout=600)\n"
        "print(time.monotonic()-t,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
    run = subprocess.run([sys.executable, "-c", script, isg, "validate", "--json", path],
                         capture_output=True, text=True, timeout=700, check=True)
    seconds, kilobytes = run.stdout.split()
    return float(seconds), int(kilobytes)


def main():
    isg, bundle = sys.argv[1:3]
    sizes = [int(word) for word in sys.argv[3:]] or SIZES
    with open(bundle, encoding="utf-8") as file:
        objects = json.load(file)["objects"]
    with tempfile.TemporaryDirectory(prefix="isg-growth.") as folder:
        path = os.path.join(folder, "bundle.json")
        for size in sizes:
            count = write(path, objects, size * 1000000)
            seconds, kilobytes = measure(isg, path)
            print("%4d MB %8d objects %8.2f s %7.1f MB/s %7.1f MiB at most"
                  % (size, count, seconds, size / seconds, kilobytes / 1024), flush=True)


if __name__ == "__main__":
    main()
