#!/usr/bin/env python3
"""System calls of the service that fail: at its start, and while members push and poll (R-062). An
interrupted call is never seen by anybody; after other faults the service is well by itself."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

from gateway import (ISG, Instance, done, indicator, is_traced, minds_sigterm, ok, same, skip_all,
                     until)

# write only to the log: otherwise it is to eventfds, by which libmicrohttpd wakes its threads, and it does
# not repeat one that fails. The kernel never fails one there (README, Limits). For the disk.
# (call, error, first + step): the first-th call and every step-th behind it, of each thread
FAULTS = [("recvfrom", "EINTR", "1+3"), ("recvfrom", "EIO", "5+9"), ("sendto", "EINTR", "2+3"),
          ("sendto", "EIO", "5+9"), ("sendmsg", "EINTR", "2+3"), ("read", "EINTR", "1+3"),
          ("read", "EIO", "3+7"),
          ("poll", "EINTR", "1+2"), ("epoll_wait", "EINTR", "1+2"), ("accept4", "EINTR", "1+2"),
          ("accept4", "EMFILE", "1+2"), ("socket", "EMFILE", "1+2"), ("connect", "EAGAIN", "1+2"),
          ("openat", "EMFILE", "1+2"), ("fcntl", "EIO", "1+3"), ("write", "EINTR", "1+2"),
          ("write", "ENOSPC", "1+2"), ("write", "EIO", "1+3")]
STARTS = [("write", "ENOSPC", 1), ("write", "EINTR", 1), ("openat", "EIO", 60), ("openat", "EMFILE", 80), ("read", "EIO", 60), ("socket", "EMFILE", 1),
          ("bind", "EADDRINUSE", 1), ("listen", "EIO", 1), ("clone3", "EAGAIN", 2),
          ("epoll_create1", "EMFILE", 1), ("flock", "EIO", 1),
          ("flock", "EIO", 2)]


def strace(call, error, when, *words):
    return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
            "-e", "inject=%s:error=%s:when=%s" % (call, error, when), *words]


def attach(isg, fault):
    pid = isg.process.pid
    only = ["-P", isg.log] if fault[0] == "write" else []
    tracer = subprocess.Popen(strace(*fault, *only, "-f", "-p", str(pid)), stderr=subprocess.DEVNULL)
    until(lambda: tracer.poll() is not None or is_traced(pid), step=0.01)
    if tracer.poll() is None and is_traced(pid):
        return tracer
    tracer.terminate()
    tracer.wait(60)
    return None


def children(pid):
    return [int(p) for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True,
                                           text=True).stdout.split()]


def check_starts(isg):
    """It starts, or says why not: an exit code and a word, no signal."""
    for call, error, when in STARTS:
        run = subprocess.Popen(strace(call, error, when, ISG, "serve", "-C", isg.dir),
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        until(lambda: run.poll() is not None or isg.is_ready(), 20)
        for pid in children(run.pid):  # none when it has ended
            until(lambda: minds_sigterm(pid) or run.poll() is not None)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        _, said = run.communicate(timeout=120)
        ok(run.returncode >= 0 and (run.returncode == 0 or said), "start, %s number %d fails with %s: "
           "exit %d %s" % (call, when, error, run.returncode, said[-120:]))
        if call == "flock":
            ok(b"Input/output error" in said and b"another gateway" not in said,
               "a lock that cannot be asked for is not a lock that is held")


def use(isg, n, sure):
    """Statuses of what members ask; 0 for a connection that was given up."""
    writer, reader = (isg.client(name, "secret of " + name) for name in ("writer", "reader"))
    seen = set()
    for i in range(6):
        objects = [indicator(n * 1000 + i * 10 + k, "green") for k in range(10)]
        for step in (lambda: writer.push("calls", objects),
                     lambda: reader.get("/api/collections/calls/objects/?limit=%d" % (20 + i)),
                     lambda: reader.get("/api/collections/calls/objects/%s/" % objects[0]["id"])):
            try:
                answer = step()
            except Exception:
                seen.add(0)
                continue
            seen.add(answer.status)
            if answer.status == 202:
                sure |= {s["id"] for s in answer.json.get("successes", [])}
        if i % 2:
            writer.close()
            reader.close()
    return seen


def recovers(isg):
    """Well again by itself, and soon."""
    for _ in range(600):
        try:
            if isg.client("reader", "secret of reader").get("/api/collections/calls/objects/").status == 200:
                return True
        except Exception:
            pass
        time.sleep(0.1)
    return False


def check_use(isg):
    sure = set()
    for n, fault in enumerate(FAULTS):
        name = "%s fails with %s" % fault[:2]
        since = isg.log_end()
        tracer = attach(isg, fault)
        if tracer is None:
            skip_all("strace cannot attach here")
        seen = use(isg, n + 1, sure)
        tracer.terminate()
        tracer.wait(60)
        ok(isg.process.poll() is None, "%s: it lives (%s)" % (name, sorted(seen)))
        ok(seen <= ({200, 202} if fault[1] == "EINTR" else {0, 200, 202, 404, 500, 503}),
           "%s: %s" % (name, "nobody sees it" if fault[1] == "EINTR" else "what was said of it"))
        ok(recovers(isg), name + ": and is well again")
        if fault[:2] == ("write", "EINTR"):  # several a push and a page; each line was begun anew
            ok(len(isg.events("http.request", since)) >= 18, name + ": no line of the log is lost")
    objects = isg.client("reader", "secret of reader").pull("calls", limit=1000)[0]
    ids = [o["id"] for o in objects]
    same(len(sure - set(ids)), 0, "all %d acknowledged are there" % len(sure))
    same(len(ids), len(set(ids)), "none twice")
    ok(len(sure) > 300, "many were taken")
    same([o for o in objects if o != indicator(int(o["name"].split()[-1]), "green")], [], "none half")


if shutil.which("strace") is None or subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"],
                                                    capture_output=True).returncode != 0:
    skip_all("strace cannot trace here")
isg = Instance(plain=True)
# The leak check of a sanitizer cannot run where the process is traced.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
check_starts(isg)
with isg:
    for name in ("writer", "reader"):
        isg.member(name, "hospital")
    isg.collection("calls", write="writer")
    check_use(isg)
    same(isg.stop(), 0, "and it stops as it should")
done()
