#!/usr/bin/env python3
"""Redis slow, stopped, gone, closed, read-only, loading, full or mad; a full disk; a clock that jumps.

R-066, R-070, R-072: 503 with Retry-After within 5 seconds, not ready, no thread stuck, nothing lost
after an OK, and all by itself again when the fault is over.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from gateway import Instance, Redis, done, indicator, ok, same, until

PATH = "/api/collections/faults/objects/"
TIMEOUT = "redis:\n  timeout_ms: 4000\n"  # the default, whatever other tests use
WITHIN = 5.0 + 15.0  # seconds for a refusal, and what a busy machine may add
BACK = 120.0  # seconds at most until the service has noticed that all is well again


class Bed:
    """A gateway on a Redis of the test's own; remembers what was acknowledged."""

    def __init__(self, isg, redis):
        self.isg, self.redis, self.n, self.sure = isg, redis, 0, set()

    def push(self):
        """Status, Retry-After and seconds of one push; an OK is remembered."""
        self.n += 1
        o = indicator(self.n, "green")
        begun = time.monotonic()
        answer = self.isg.client("writer", "secret of writer").push("faults", [o])
        if answer.status == 202 and answer.json["success_count"] == 1:
            self.sure.add(o["id"])
        return answer.status, answer.headers["Retry-After"], time.monotonic() - begun

    def get(self, path=PATH + "?limit=1000"):
        begun = time.monotonic()
        answer = self.isg.client("reader", "secret of reader").get(path)
        return answer.status, answer.headers["Retry-After"], time.monotonic() - begun

    def ready(self):
        return self.isg.is_ready()

    def threads(self):
        return len(os.listdir("/proc/%d/task" % self.isg.process.pid))

    def refused(self, answer, name):
        status, retry, took = answer
        ok(status == 503 and retry is not None and took < WITHIN,
           "%s: %d, Retry-After %s, %.1f s" % (name, status, retry, took))

    def all_there(self):
        objects = self.isg.client("reader", "secret of reader").pull("faults", limit=1000)[0]
        ids = [o["id"] for o in objects]
        same(len(self.sure - set(ids)), 0, "all %d acknowledged are there" % len(self.sure))
        same(len(ids), len(set(ids)), "none twice")

    def under(self, name, begin, end, reads=True):
        """The fault from begin() to end(): what is answered meanwhile, and afterwards."""
        same(self.push()[0], 202, "%s: all is well before" % name)
        threads = self.threads()
        begin()
        self.refused(self.push(), name + ": a push")
        self.refused(self.push(), name + ": and another")
        if reads:
            time.sleep(1.1)
            self.refused(self.get(), name + ": a page")
        ok(not self.ready(), name + ": not ready")
        end()
        ok(until(lambda: self.push()[0] == 202, BACK), name + ": works again")
        ok(until(self.ready, BACK), name + ": and is ready")
        self.all_there()
        ok(until(lambda: self.threads() <= threads), name + ": no thread stayed behind")


class Impostor(threading.Thread):
    """Something else on Redis' socket, with one answer for all it is sent."""

    def __init__(self, redis, says):
        super().__init__(daemon=True)
        redis.stop()
        if os.path.exists(redis.socket):
            os.unlink(redis.socket)
        self.says, self.path = says, redis.socket
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(50)
        self.start()

    def run(self):
        try:
            while True:
                peer, _ = self.socket.accept()
                threading.Thread(target=self.answer, args=(peer,), daemon=True).start()
        except OSError:
            pass

    def answer(self, peer):
        with peer:
            while peer.recv(65536):
                peer.sendall(self.says)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)


def redis_faults(bed):
    redis, cli, tell = bed.redis, bed.redis.cli, bed.redis.tell
    # such a pause holds back its own end as well: this waits until it is over
    bed.under("CLIENT PAUSE", lambda: tell("client", "pause", "30000", "all"),
              lambda: tell("client", "unpause"))
    bed.under("SIGSTOP", lambda: redis.process.send_signal(signal.SIGSTOP),
              lambda: redis.process.send_signal(signal.SIGCONT))
    bed.under("refused", redis.stop, redis.start)
    bed.under("killed", lambda: redis.stop(signal.SIGKILL), redis.start)

    def lock_out():
        tell("config", "set", "requirepass", "another")
        cli("-a", "another", "client", "kill", "type", "normal")
    bed.under("wrong password", lock_out,
              lambda: cli("-a", "another", "config", "set", "requirepass", ""))
    bed.under("READONLY", lambda: tell("replicaof", "127.0.0.1", "1"),
              lambda: tell("replicaof", "no", "one"), reads=False)
    bed.under("OOM", lambda: tell("config", "set", "maxmemory", "1"),
              lambda: tell("config", "set", "maxmemory", "0"), reads=False)
    bed.under("MISCONF", lambda: misconfigure(redis), lambda: tell("config", "set", "save", ""),
              reads=False)


def misconfigure(redis):
    """A snapshot that fails makes Redis refuse writes."""
    os.mkdir(os.path.join(redis.base, "dump.rdb"))
    redis.tell("config", "set", "save", "3600 1")
    redis.tell("bgsave")
    if not until(lambda: "rdb_last_bgsave_status:err" in redis.cli("info", "persistence")):
        raise RuntimeError("the snapshot did not fail")


def babble(bed):
    impostors = []

    def end():
        impostors.pop().stop()
        bed.redis.start()
    bed.under("protocol garbage", lambda: impostors.append(
        Impostor(bed.redis, b"HTTP/1.1 400 Bad Request\r\n\r\n")), end)


def loading(bed):
    """A server that reads its data is waited for, as long as a call may take."""
    same(bed.push()[0], 202, "LOADING: all is well before")
    impostor = Impostor(bed.redis, b"-LOADING Redis is loading the dataset in memory\r\n")
    bed.refused(bed.push(), "LOADING: a push")
    # it may have met nobody, before the impostor listened
    ok(until(lambda: readyz(bed)["checks"]["breaker"] == "loading", BACK), "LOADING: readiness tells it")
    waiting = threading.Thread(target=lambda: answers.append(bed.push()))
    answers = []
    waiting.start()
    time.sleep(1)
    ok(not answers, "LOADING: it is waited for")
    impostor.stop()
    bed.redis.start()
    waiting.join()
    ok(until(lambda: bed.push()[0] == 202, BACK), "LOADING: works afterwards")
    bed.all_there()


def readyz(bed):
    """The answer of /readyz on the admin socket, ready or not."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(120)
        s.connect(os.path.join(bed.isg.dir, "admin.sock"))
        s.sendall(b"GET /readyz HTTP/1.1\r\nHost: isg\r\nConnection: close\r\n\r\n")
        text = b""
        while piece := s.recv(65536):
            text += piece
    return json.loads(text.split(b"\r\n\r\n", 1)[1])


def slow_disk(bed):
    """One reply that takes two seconds does not open the breaker."""
    before = reconnects(bed)
    bed.redis.tell("client", "pause", "1500", "write")
    status, _, took = bed.push()
    same(status, 202, "one slow write (%.1f s) is waited for" % took)
    same(reconnects(bed), before, "and does not open the breaker")


def reconnects(bed):
    """How often the breaker opened: lines of the log."""
    with open(bed.isg.log, errors="replace") as f:
        return f.read().count("store.down")


def full_disk():
    """The private Redis on a disk that fills up: refused, not lost; and again when there is room."""
    base = tempfile.mkdtemp(prefix="isg-tmpfs-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", base],
                      capture_output=True).returncode != 0:
        os.rmdir(base)
        return ok(True, "a small disk # SKIP cannot mount here")
    try:
        isg = Instance(config=TIMEOUT)
        shutil.copytree(isg.dir, os.path.join(base, "instance"))
        shutil.rmtree(isg.dir)
        isg.dir = os.path.join(base, "instance")
        with isg:
            fill_up(isg, base)
    finally:
        subprocess.run(["umount", "-l", base], capture_output=True)
        os.rmdir(base)


def fill_up(isg, base):
    isg.member("writer", "hospital")
    isg.member("reader", "hospital")
    isg.collection("faults", write="writer")
    bed = Bed(isg, None)
    ballast = os.path.join(base, "ballast")
    same(bed.push()[0], 202, "full disk: all is well before")
    export_to(isg, base)
    fd = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(fd, b"x" * 4096) > 0:
            pass
    except OSError:
        os.close(fd)
    refused = 0
    for _ in range(40):
        status, retry, took = bed.push()
        refused += status == 503 and retry is not None
        if status not in (202, 503) or took > WITHIN:
            ok(False, "full disk: %d after %.1f s" % (status, took))
        if refused > 2:
            break
    ok(refused > 2, "full disk: pushes are refused (%d acknowledged)" % len(bed.sure))
    ok(not bed.ready(), "full disk: not ready")
    os.unlink(ballast)
    ok(until(lambda: bed.push()[0] == 202, BACK), "full disk: works again when there is room")
    bed.all_there()


def export_to(isg, base):
    """An export that does not fit leaves nothing behind under its name."""
    room = os.path.join(base, "room")
    os.mkdir(room)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", room], check=True)
    try:
        for _ in range(8):
            isg.client("writer", "secret of writer").push(
                "faults", [indicator(700000000 + n + _ * 10, "green") for n in range(10)])
        for form in ("stix", "csv", "suricata", "misp"):
            said = isg.run("export", "--collection", "faults", "--as", "reader", "--format", form,
                           "-o", os.path.join(room, "feed." + form), check=False)
            ok(said.returncode == 74 and "No space left" in said.stderr, "an export to a full disk, "
               "%s: exit %d, %s" % (form, said.returncode, said.stderr.strip()[-120:]))
            same([name for _, _, files in os.walk(room) for name in files], [],
                 "and nothing half-written is left")
    finally:
        subprocess.run(["umount", "-l", room], check=True)


with Redis() as redis:
    isg = Instance(redis=redis.url, config="  timeout_ms: 4000\nlog:\n  level: warn\n")
    with isg:
        isg.member("writer", "hospital")
        isg.member("reader", "hospital")
        isg.collection("faults", write="writer")
        bed = Bed(isg, redis)
        redis_faults(bed)
        babble(bed)
        slow_disk(bed)
        loading(bed)
        same(isg.stop(), 0, "and it stops as it should")
full_disk()
done()
