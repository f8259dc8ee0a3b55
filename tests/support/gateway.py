"""Start the real `isg` in a folder of its own and speak to it, with the standard library only.

Used by the integration tests: an Instance is a gateway with its private Redis on a free loopback
port; a Client is one member's TAXII client. Checks print TAP lines.
"""
import base64
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote, urlsplit

MEDIA = "application/taxii+json;version=2.1"
ISG = os.environ.get("ISG", "isg")
SOURCE = os.environ.get("ISG_SOURCE", os.getcwd())
CORPUS = os.environ.get("ISG_CORPUS", os.path.join(SOURCE, "..", "shared", "corpus"))

_checks = {"n": 0, "bad": 0}


def ok(condition, name):
    _checks["n"] += 1
    _checks["bad"] += not condition
    print("%s %d - %s" % ("ok" if condition else "not ok", _checks["n"], name), flush=True)
    return condition


def same(got, want, name):
    if not ok(got == want, name):
        print("# got  %r\n# want %r" % (got, want), flush=True)


def done():
    print("1..%d" % _checks["n"])
    sys.exit(1 if _checks["bad"] or not _checks["n"] else 0)


def skip_all(reason):
    print("1..0 # SKIP %s" % reason)
    sys.exit(77)


def corpus(below):
    path = os.path.join(CORPUS, below)
    return path if os.path.exists(path) else None


_reserved = []  # sockets whose names keep other tests from choosing the same ports


def free_port():
    """A port nobody listens on, below those the kernel gives to outgoing connections: one of these
    could be taken by a client between now and the server's start. No other test gets it as long as
    this one runs."""
    for port in random.SystemRandom().sample(range(20000, 32768), 200):
        name = socket.socket(socket.AF_UNIX)
        with socket.socket() as s:
            try:
                name.bind("\0isg-test-port-%d" % port)
                s.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
        _reserved.append(name)
        return port
    raise RuntimeError("no free port")


def until(condition, seconds=60, step=0.05):
    """Wait until condition() holds; what it gave last. The time is a bound for what never happens,
    generous because machines are busy: no test may depend on how long something takes."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(step)
    return held or condition()


def minds_sigterm(pid):
    """True when a process catches or awaits SIGTERM: before that it would just be ended by it."""
    bit = 1 << (signal.SIGTERM - 1)
    try:
        with open("/proc/%d/status" % pid) as f:
            return any(int(line.split()[1], 16) & bit for line in f
                       if line.startswith(("SigBlk:", "SigCgt:")))
    except OSError:
        return False


def is_traced(pid):
    """True when a tracer holds all threads of a process."""
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/status" % (pid, task)) as f:
                if "TracerPid:\t0\n" in f.read():
                    return False
        except OSError:
            pass  # a thread that ended
    return True


class Redis:
    """A redis-server of the test's own on a Unix socket, durable; use as a context manager."""

    def __init__(self, *options):
        if shutil.which("redis-server") is None:
            skip_all("no redis-server")
        self.base = tempfile.mkdtemp(prefix="isg-redis-")
        self.socket = os.path.join(self.base, "redis.sock")
        self.url = "unix:" + self.socket
        self.options = options
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.base,
             "--save", "", "--appendonly", "yes", "--appendfsync", "always", *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        if not until(lambda: self.cli("ping").strip() == "PONG", 120):
            raise RuntimeError("redis-server does not start")

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(60)
        self.process = None

    def cli(self, *words, timeout=60):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True,
                              text=True, timeout=timeout).stdout

    def tell(self, *words):
        """A command that must succeed."""
        run = subprocess.run(["redis-cli", "-e", "-s", self.socket, *words], capture_output=True,
                             text=True, timeout=300)
        if run.returncode != 0:
            raise RuntimeError("redis-cli %s: %s" % (" ".join(words), run.stdout))


class Instance:
    """A gateway in a temporary folder; use as a context manager.

    With redis (a URL) it uses that server; with like (another Instance) it is one more gateway of
    the same organisation: same secrets, keys and namespace, an address of its own. With plain its
    clients speak HTTP without TLS, on a listener of that kind. urn: the namespace of its ids.
    """

    def __init__(self, name="Example ISAO", config=None, redis=None, like=None, plain=False, urn=None):
        self.base = tempfile.mkdtemp(prefix="isg-test-")
        self.dir = os.path.join(self.base, "instance")
        self.port = free_port()
        self.process = None
        self.plain = plain
        self.log = os.path.join(self.base, "log")
        self.run("init", self.dir, "--listen", "127.0.0.1:%d" % self.port, "--name", name)
        if plain:
            self.port = free_port()
            config = "listeners:\n  - address: 127.0.0.1:%d\n    tls: false\n%s" % (
                self.port, config or "")
        if redis:
            config = "redis:\n  url: %s\n%s" % (redis, config or "")
        if like:
            self.join(like)
        if urn:
            self.replace("^id_urn: .*$", 'id_urn: "%s"' % urn)
        if config:
            with open(os.path.join(self.dir, "isg.yaml"), "a") as f:
                f.write(config)
        # Where a test does not say how long Redis may take, a busy disk must not decide it.
        self.env = {} if "timeout_ms" in (config or "") else {"ISG_REDIS_TIMEOUT_MS": "20000"}
        self.tls = ssl.create_default_context(cafile=os.path.join(self.dir, "tls/ca.pem"))

    def join(self, other):
        """What the README says of a second gateway: the first one's secrets, keys, namespace."""
        for folder in ("secrets", "keys", "public"):
            shutil.rmtree(os.path.join(self.dir, folder))
            shutil.copytree(os.path.join(other.dir, folder), os.path.join(self.dir, folder))
        texts = [open(os.path.join(i.dir, "isg.yaml")).read() for i in (self, other)]
        own, theirs = (re.search("^id_urn: .*$", text, re.M).group() for text in texts)
        with open(os.path.join(self.dir, "isg.yaml"), "w") as f:
            f.write(texts[0].replace(own, theirs))

    def replace(self, pattern, text):
        """Lines of the configuration that match."""
        path = os.path.join(self.dir, "isg.yaml")
        with open(path) as f:
            changed = re.sub(pattern, text, f.read(), flags=re.MULTILINE)
        with open(path, "w") as f:
            f.write(changed)

    def configure(self, section, **values):
        """Add settings to a section that `isg init` wrote."""
        path = os.path.join(self.dir, "isg.yaml")
        with open(path) as f:
            text = f.read()
        lines = "".join("  %s: %s\n" % pair for pair in values.items())
        with open(path, "w") as f:
            f.write(text.replace("\n%s:\n" % section, "\n%s:\n%s" % (section, lines), 1))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if _checks["bad"]:
            with open(self.log, errors="replace") as f:
                print("".join("# log: " + line for line in f.readlines()[-40:]))
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self, timeout=120, before=None, env=None, under=()):
        """before: what the new process does to itself, as preexec_fn; under: the words it is run by."""
        env = {**(os.environ if env is None else env), **self.env}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*under, ISG, "serve", "-C", self.dir], stderr=log, env=env,
                                            stdin=subprocess.DEVNULL, preexec_fn=before)
        self.run("wait", "-C", self.dir, "--timeout", str(timeout), timeout=timeout + 30)

    def is_ready(self):
        return self.run("wait", "-C", self.dir, "--timeout", "0", check=False).returncode == 0

    def stop(self, how=signal.SIGTERM, timeout=120):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait(timeout)
        self.process = None
        return code

    def run(self, *words, check=True, timeout=600, stdin=None):
        env = dict(os.environ, ISG_DIR=self.dir)
        result = subprocess.run([ISG, *words], capture_output=True, text=True, env=env, input=stdin,
                                timeout=timeout, cwd=self.base)
        if check and result.returncode != 0:
            log = open(self.log).read()[-4000:] if os.path.exists(self.log) else ""
            raise RuntimeError("isg %s: exit %d\n%s%s\nlog: %s" % (
                " ".join(words), result.returncode, result.stdout, result.stderr, log))
        return result

    def json(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def run_feed(self, name, *words, kind="feed"):
        """A feed, peer or webhook by command, whatever comes of it. They are run by their schedule as
        well, also those that are new: while that is under way it is waited for."""
        def unless_running():
            result = self.run(kind, "run", name, *words, check=False)
            return None if "running now" in result.stderr else result
        return until(unless_running, 300)

    def member(self, name, kind, **options):
        path = os.path.join(self.base, name + ".pw")
        with open(path, "w") as f:
            f.write("secret of %s\n" % name)
        os.chmod(path, 0o600)
        words = ["member", "add", name, "--kind", kind, "--password-file", path]
        for key, value in options.items():
            words += ["--" + key.replace("_", "-"), value]
        self.run(*words)
        return self.client(name, "secret of %s" % name)

    def client(self, user=None, password=None, token=None):
        return Client(self, user, password, token)

    def collection(self, title, read="all", write="all", handling="relay", **options):
        words = ["collection", "add", "--title", title, "--alias", title, "--handling", handling,
                 "--read", read, "--write", write]
        for key, value in options.items():
            words += ["--" + key.replace("_", "-"), value]
        return self.json(*words)["id"]

    def events(self, name=None, since=0):
        """The log's lines from an offset on, as JSON; those of one event. One that is just being
        written is none yet."""
        with open(self.log, "rb") as f:
            f.seek(since)
            text = f.read()
        lines = [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]
        return [line for line in lines if name in (None, line["event"])]

    def log_end(self):
        return os.path.getsize(self.log)

    def awaited(self, name, since=0, timeout=60):
        """The events of a name, once there is one; empty when none comes."""
        return until(lambda: self.events(name, since), timeout)

    def redis_pid(self):
        """The private redis-server: the child of the gateway with that name."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", "redis-server"],
                               capture_output=True, text=True).stdout.split()
        return int(found[0]) if found else None


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One member on a kept-alive connection."""

    def __init__(self, instance, user, password, token):
        self.instance = instance
        self.headers = {"Accept": MEDIA}
        if user is not None:
            word = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
            self.headers["Authorization"] = "Basic " + word
        if token is not None:
            self.headers["Authorization"] = "Bearer " + token
        self.connection = None

    def connect(self):
        address = {"host": "127.0.0.1", "port": self.instance.port, "timeout": 120}
        if self.instance.plain:
            return http.client.HTTPConnection(**address)
        return http.client.HTTPSConnection(**address, context=self.instance.tls)

    def request(self, method, path, body=None, headers=None, retry=True):
        if self.was_closed():
            self.close()
        if self.connection is None:
            self.connection = self.connect()
        sent = dict(self.headers)
        if body is not None:
            sent["Content-Type"] = MEDIA
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent.update(headers or {})
        try:
            self.connection.request(method, path, body=body, headers=sent)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            if retry and method in ("GET", "HEAD"):
                return self.request(method, path, body, headers, retry=False)
            raise

    def was_closed(self):
        """The service ended the connection while nothing was asked: idle for long, as clients see it."""
        peer = self.connection.sock if self.connection is not None else None
        return peer is not None and bool(select.select([peer], [], [], 0)[0])

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def push(self, collection, objects):
        return self.request("POST", "/api/collections/%s/objects/" % collection,
                            {"objects": objects})

    def settled(self, status, seconds=300):
        """A status, polled until it is complete (T-097)."""
        end = time.monotonic() + seconds
        while status["status"] == "pending" and time.monotonic() < end:
            time.sleep(0.05)
            status = self.get("/api/status/%s/" % status["id"]).json
        return status

    def pull(self, collection, limit=None, query="", endpoint="objects"):
        """Walk all pages by `next`; the objects and the number of pages."""
        objects, pages, after = [], 0, None
        while True:
            words = [w for w in (query, "limit=%d" % limit if limit else "",
                                 "next=" + quote(after) if after else "") if w]
            path = "/api/collections/%s/%s/" % (collection, endpoint)
            answer = self.get(path + ("?" + "&".join(words) if words else ""))
            if answer.status != 200:
                raise RuntimeError("pull: %d %s" % (answer.status, answer.body[:300]))
            page = answer.json
            objects += page.get("objects", [])
            pages += 1
            if not page.get("more"):
                return objects, pages
            after = page["next"]


def uuid4(n):
    """A version-4 shaped UUID made of a number, so that tests repeat."""
    h = "%032x" % n
    return "%s-%s-4%s-8%s-%s" % (h[:8], h[8:12], h[13:16], h[17:20], h[20:])


def indicator(n, tlp=None, **more):
    """An invented indicator; the address is out of the documentation range."""
    markings = {"clear": "94868c89-83c2-464b-929b-a1a8aa3c8487",
                "green": "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
                "amber": "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
                "amber+strict": "939a9414-2ddd-4d32-a0cd-375ea402b003",
                "red": "e828b379-4e03-4974-9ac4-e53a884c97c1"}
    made = {"type": "indicator", "spec_version": "2.1", "id": "indicator--" + uuid4(n),
            "created": "2026-01-05T08:00:00.000Z", "modified": "2026-01-05T08:00:00.000Z",
            "name": "pump gateway beacon %d" % n, "indicator_types": ["malicious-activity"],
            "pattern": "[ipv4-addr:value = '198.51.100.%d']" % (n % 255),
            "pattern_type": "stix", "valid_from": "2026-01-05T08:00:00Z"}
    if tlp:
        made["object_marking_refs"] = ["marking-definition--" + markings[tlp]]
    made.update(more)
    return made
