#!/usr/bin/env python3
"""`isg export` and `isg init` that are ended in the middle, by a signal or by a disk that takes no more: what
was there before is there afterwards, whole, and nothing else."""
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import threading

from gateway import ISG, Instance, done, indicator, ok, same, until

OBJECTS = 1300  # more than a page of the service's answer
DAYS = 20


class Relay(threading.Thread):
    """Stands before the service's admin socket. It passes on so many answers; then it waits."""

    def __init__(self, path, to):
        super().__init__(daemon=True)
        self.to, self.passes, self.waiting, self.release = to, 1 << 30, threading.Event(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.start()

    def hold(self, passes):
        self.passes = passes
        self.waiting.clear()
        self.release.clear()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as service:
            service.connect(self.to)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            if self.passes == 0:
                self.waiting.set()
                self.release.wait(300)
            self.passes -= 1
            service.sendall(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            try:
                while data := service.recv(65536):
                    client.sendall(data)
            except OSError:
                pass  # one that was ended


def contents(folder):
    """Every file below, with the digest of what is in it."""
    return {os.path.relpath(os.path.join(at, name), folder): hashlib.sha256(
        open(os.path.join(at, name), "rb").read()).hexdigest() for at, _, names in os.walk(folder) for name in names}


class Bed:
    def __init__(self, isg):
        self.isg = isg
        self.far = os.path.join(isg.base, "far")  # an instance's folder whose socket is the relay's
        os.mkdir(self.far)
        for name in ("tls", "keys", "public", "secrets"):
            os.symlink(os.path.join(isg.dir, name), os.path.join(self.far, name))
        self.relay = Relay(os.path.join(self.far, "relay.sock"), os.path.join(isg.dir, "admin.sock"))
        with open(os.path.join(isg.dir, "isg.yaml")) as f, open(os.path.join(self.far, "isg.yaml"), "w") as g:
            g.write(f.read() + "admin:\n  socket: relay.sock\n")

    def words(self, form, target):
        return [ISG, "export", "-C", self.far, "--collection", "observed", "--format", form, "-o", target]

    def ended(self, form, target, number, passes, **more):
        """The exit of an export that gets a signal once so many answers have passed."""
        self.relay.hold(passes)
        process = subprocess.Popen(self.words(form, target), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True, **more)
        ok(self.relay.waiting.wait(300), "%s: after %d answers" % (form, passes))
        process.send_signal(number)
        said = process.communicate(timeout=300)[1]
        self.relay.release.set()
        self.relay.passes = 1 << 30
        return process.returncode, said


def check_signals(bed, folder):
    rows = [("stix", signal.SIGINT, 0), ("stix", signal.SIGTERM, 1), ("csv", signal.SIGINT, 1),
            ("suricata", signal.SIGHUP, 1), ("misp", signal.SIGTERM, 1)]
    for form, number, passes in rows:
        before = contents(folder)
        code, said = bed.ended(form, os.path.join(folder, "new-" + form), number, passes)
        same(code, -number, "%s: it ends by the signal: %s" % (form, said.strip()))
        ok("interrupted" in said, "and says so")
        same(contents(folder), before, "and leaves nothing: neither a part nor a file")
        same(os.path.exists(os.path.join(folder, "new-" + form)), False, "nor a folder")


def check_kept(bed, folder):
    """An export in the place of an older one."""
    for form in ("stix", "csv", "misp"):
        target = os.path.join(folder, "kept-" + form)
        subprocess.run(bed.words(form, target), check=True, capture_output=True)
    before = contents(folder)
    bed.isg.json("import", "--format", "stix", "--collection", "observed", bed.more)
    for form in ("stix", "csv", "misp"):
        code, said = bed.ended(form, os.path.join(folder, "kept-" + form), signal.SIGINT, 1)
        same(code, -signal.SIGINT, "%s again: %s" % (form, said.strip()))
        same(contents(folder), before, "the older one is as it was")
    run = bed.isg.run("verify", os.path.join(folder, "kept-stix"), check=False)
    same(run.returncode, 0, "and verifies: %s" % (run.stdout + run.stderr).strip())


def check_ignored(bed, folder):
    """Under nohup the end of the terminal ends nothing."""
    target = os.path.join(folder, "nohup")
    bed.relay.hold(1)
    process = subprocess.Popen(bed.words("csv", target), stdout=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    ok(bed.relay.waiting.wait(300), "in the middle")
    process.send_signal(signal.SIGHUP)
    bed.relay.release.set()
    bed.relay.passes = 1 << 30
    same((process.wait(300), os.path.exists(target)), (0, True), "a signal that is ignored stays so")


def check_full(bed, folder):
    """No file may grow beyond a bound: the first that would ends the export."""
    sizes = [os.path.getsize(os.path.join(folder, "kept-misp", n)) for n in os.listdir(os.path.join(folder, "kept-misp"))]
    bound = max(sizes) // 2
    ok(any(s < bound for s in sizes), "some files of the folder fit below the bound, some do not")
    before = contents(folder)
    for form, name in (("misp", "full"), ("misp", "kept-misp"), ("csv", "kept-csv"), ("stix", "kept-stix")):
        run = subprocess.run(bed.words(form, os.path.join(folder, name)), capture_output=True, text=True,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound)))
        ok(run.returncode == 74 and "File too large" in run.stderr, "%s: %s" % (name, run.stderr.strip()))
        same(contents(folder), before, "nothing is left of it, and nothing was taken away")
    same(os.path.exists(os.path.join(folder, "full")), False, "nor an empty folder")


def check_convert(bed, folder):
    before = contents(folder)
    run = subprocess.run([ISG, "convert", "--format", "stix", "-o", os.path.join(folder, "bundle"), bed.some],
                         capture_output=True, text=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)))
    ok(run.returncode == 74 and "File too large" in run.stderr, "convert: %s" % run.stderr.strip())
    same(contents(folder), before, "leaves nothing either")


def check_init(base):
    """An instance is whole, or there is nothing of it that would stand in the way of the next attempt."""
    folder, words = os.path.join(base, "made"), ("--listen", "127.0.0.1:1", "--name", "Hospital")
    for below in ("isg.yaml.new", "tls/ca.pem", "secrets/keys.pass", "keys/content.key"):
        process = subprocess.Popen([ISG, "init", folder, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        path = os.path.join(folder, below)
        until(lambda: os.path.exists(path) or process.poll() is not None, step=0)
        process.send_signal(signal.SIGINT)
        code, whole = process.wait(300), os.path.exists(os.path.join(folder, "isg.yaml"))
        ok((code == 0 and whole) or (code == -signal.SIGINT and not os.path.exists(folder)),
           "init, a signal at %s: %d, %s" % (below, code, sorted(contents(folder))))
        if not whole:
            code = subprocess.run([ISG, "init", folder, *words], capture_output=True).returncode
            same(code, 0, "the next attempt makes it")
        shutil.rmtree(folder)


def bundle(isg, name, numbers):
    path = os.path.join(isg.base, name)
    objects = [indicator(n, "green", pattern="[domain-name:value = 'pump-%d.net']" % n,
                         created="2026-01-%02dT08:00:00.000Z" % (n % (n % DAYS + 1) + 1),
                         modified="2026-02-01T08:00:00.000Z") for n in numbers]
    with open(path, "w") as f:
        json.dump({"type": "bundle", "id": "bundle--2f1a6f8e-0b8d-4c69-9c43-6a1f6f3c0a11", "objects": objects}, f)
    return path


def main():
    with Instance() as isg:
        isg.collection("observed")
        bed = Bed(isg)
        bed.some, bed.more = bundle(isg, "some.json", range(OBJECTS)), bundle(isg, "more.json", range(OBJECTS, OBJECTS + 50))
        isg.json("import", "--format", "stix", "--collection", "observed", bed.some)
        folder = os.path.join(isg.base, "out")
        os.mkdir(folder)
        check_signals(bed, folder)
        check_kept(bed, folder)
        check_ignored(bed, folder)
        check_full(bed, folder)
        check_convert(bed, folder)
        check_init(isg.base)


main()
done()
