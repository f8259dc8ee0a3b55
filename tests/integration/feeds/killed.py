#!/usr/bin/env python3
"""A gateway killed between any two stages of a feed's run (feeds digest 7.3): after the next start
nothing is lost and nothing doubled. A proxy in front of Redis kills it before the n-th transaction:
the lease, the parts of objects, the objects, the keys, the state, the lease again."""
import json
import os
import socket
import threading

from gateway import Instance, Redis, done, ok, same, until
from misbehaving import Handler, Server



class RedisProxy(threading.Thread):
    """Passes commands on, one by one. Once armed, the n-th EXEC is not passed on: `kill` is called instead."""

    def __init__(self, base, to):
        super().__init__(daemon=True)
        self.to, self.path = to, os.path.join(base, "proxy.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.lock, self.left, self.kill, self.seen = threading.Lock(), None, None, 0
        self.start()

    def arm(self, n, kill):
        with self.lock:
            self.left, self.kill, self.seen = n, kill, 0

    def disarm(self):
        with self.lock:
            self.left = None
            return self.seen

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.to)
            threading.Thread(target=self.commands, args=(client, server), daemon=True).start()
            threading.Thread(target=self.replies, args=(server, client), daemon=True).start()

    @staticmethod
    def replies(server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        client.close()

    def commands(self, client, server):
        stream = client.makefile("rb")
        try:
            while head := stream.readline():
                words, raw = [], [head]
                for _ in range(int(head[1:])):
                    raw.append(stream.readline())
                    raw.append(stream.read(int(raw[-1][1:]) + 2))
                    words.append(raw[-1][:-2])
                if self.is_deadly(words):
                    break
                server.sendall(b"".join(raw))
        except (OSError, ValueError):
            pass
        for s in (client, server):
            s.close()

    def is_deadly(self, words):
        if words[0].upper() != b"EXEC":
            return False
        with self.lock:
            if self.left is None:
                return False
            self.seen += 1
            if self.seen == self.left:
                self.kill()
            return self.seen >= self.left


def listed(n, names):
    return "".join("pump-%s%d.net\n" % (name, n) for name in names).encode()


def catalogue(n, names):
    entries = [{"cveID": "CVE-2033-%05d" % (n * 10 + "abc".index(name)), "dateAdded": "2033-01-01"} for name in names]
    return json.dumps({"title": "t", "catalogVersion": "v", "count": len(entries),
                       "vulnerabilities": entries}).encode()


# format, its text, type of its objects, what names one, and a word of the version that ends it
SOURCES = [("list", listed, "indicator", "pump-%s%d.net", '"feed:delisted"'),
           ("kev", catalogue, "vulnerability", None, '"kev":false')]


class Sweep:
    def __init__(self, isg, redis, proxy, server, source):
        self.isg, self.redis, self.proxy, self.server = isg, redis, proxy, server
        self.format, self.text, self.type, self.named, self.ended = source

    def serve(self, n, names):
        self.server.texts["/text/%s-%d" % (self.format, n)] = self.text(n, names)

    def begin(self, n):
        """A feed of two entries, read once."""
        name = "%s-%d" % (self.format, n)
        self.serve(n, "ab")
        self.isg.run("feed", "add", name, "--url", self.server.url("/text/" + name), "--format", self.format,
                     "--collection", self.format, "--interval", "30d", "--allow-private")
        self.finish(name)
        self.serve(n, "ac")  # one goes, one comes
        return name

    def finish(self, name):
        ok(until(lambda: self.isg.run("feed", "run", name, check=False).returncode == 0), "%s runs" % name)

    def stages(self):
        """The transactions of one whole run."""
        name = self.begin(0)
        self.proxy.arm(1000, None)
        self.finish(name)
        return self.proxy.disarm()

    def check(self, n):
        """a stays, b has ended in a second version, c has come."""
        objects = self.isg.everyone.pull(self.format, query="match[version]=all")[0]
        words = [self.named % (x, n) if self.named else "CVE-2033-%05d" % (n * 10 + "abc".index(x)) for x in "abc"]
        versions = [[o for o in objects if o["type"] == self.type and o["name"] == w] for w in words]
        same([len(v) for v in versions], [1, 2, 1], "%s, killed before transaction %d: nothing lost, nothing twice" % (
            self.format, n))
        last = max(versions[1], key=lambda o: o["modified"], default={})
        text = json.dumps(last, separators=(",", ":"))
        ok(self.ended in text and "revoked" not in last, "and what went has ended")

    def run(self):
        count = self.stages()
        ok(count >= 4, "%s: a run is %d transactions" % (self.format, count))
        self.check(0)
        # what the sources have in common, the lease and the state, is looked at once
        for n in range(1, count + 1) if self.format == "list" else range(2, count - 1):
            name = self.begin(n)
            self.proxy.arm(n, self.isg.process.kill)
            self.isg.run("feed", "run", name, check=False)
            until(lambda: self.isg.process.poll() is not None, 10)
            self.isg.process.kill()  # where the run had fewer transactions than the one that was counted
            self.isg.process.wait(60)
            self.proxy.disarm()
            self.redis.tell("DEL", "isg:lease:feed:" + name)  # it would end by itself
            self.isg.start()
            self.finish(name)
            self.check(n)


def at_text(handler):
    handler.answer(handler.server.texts[handler.path])


def main():
    Handler.at_text = at_text
    server = Server()
    server.texts = {}
    with Redis() as redis:
        proxy = RedisProxy(redis.base, redis.socket)
        with Instance(redis="unix:" + proxy.path) as isg:
            isg.everyone = isg.member("reader", "hospital")
            for source in SOURCES:
                isg.collection(source[0], read="all", write="staff")
                Sweep(isg, redis, proxy, server, source).run()


main()
done()
