#!/usr/bin/env python3
"""What can be read from docker/ without an engine: stages, user, no secret, health check, settings."""
import os
import re
import shutil
import subprocess
import tempfile

from gateway import ISG, SOURCE, done, ok, same, until


def read(name):
    with open(os.path.join(SOURCE, "docker", name)) as f:
        return f.read()


def dockerfile():
    text = read("Dockerfile")
    stages = re.findall(r"(?m)^FROM\s+(\S+)(?:\s+AS\s+(\S+))?", text)
    ok(len(stages) >= 2, "built in one stage, run in another")
    ok(all("bookworm" in image for image, _ in stages), "on Debian 12")
    last = text[text.rindex("FROM "):]
    users = re.findall(r"(?m)^USER\s+(\S+)", last)
    ok(users and users[-1] not in ("root", "0", "0:0"), "runs as %s" % users[-1:])
    ok(re.search(r"(?ms)^HEALTHCHECK.*\bisg\b", last) is not None, "health check by the program itself")
    ok(re.search(r"(?mi)^(ENV|ARG).*(password|secret|token|passphrase)\s*=\s*\S", text) is None,
       "no secret in a layer")
    ok("build-essential" not in last and "cmake" not in last, "no compiler in the last stage")


def compose():
    text = read("compose.yml")
    ok(re.search(r"(?m)^\s+read_only:\s*true", text) is not None, "root file system is read-only")
    ok("appendonly" in text and "always" in text, "Redis writes its AOF at once")
    ok(re.search(r"(?m)^volumes:", text) is not None, "data lives in volumes")
    ok(re.search(r"(?m)^secrets:", text) is not None and "file:" in text, "secrets come from files")
    ok("service_healthy" in text, "the gateway waits for Redis")
    ok(re.search(r"(?m)^\s+cap_drop:", text) is not None, "capabilities are dropped")
    ok(re.search(r"(?mi)password:\s*\S+\s*$", text) is None, "no password stands in the file")


def settings():
    folder = tempfile.mkdtemp(prefix="isg-docker-")
    shutil.copy(os.path.join(SOURCE, "docker", "isg.yaml"), folder)
    r = subprocess.run([ISG, "check-config", os.path.join(folder, "isg.yaml"), "-C", folder],
                       capture_output=True, text=True)
    same(r.returncode, 0, "isg check-config accepts docker/isg.yaml: " + r.stderr.strip())
    shutil.rmtree(folder)


def packages():
    """The image is built with what the scripts install."""
    with open(os.path.join(SOURCE, "gateway/packages.sh")) as f:
        lists = dict(re.findall(r'(?ms)^(\w+_PACKAGES)="([^"]*)"', f.read()))
    build, run = [part.split() for part in read("Dockerfile").split("\nFROM ")[1:]]
    for name, part in (("BUILD_PACKAGES", build), ("RUN_PACKAGES", run)):
        missing = [p for p in lists[name].split() if p not in part]
        same(missing, [], "%s are in the image's stage" % name)


def entry():
    """The first start makes an instance once; one that was cut short is begun anew."""
    base = tempfile.mkdtemp(prefix="isg-docker-")
    folder, stub = os.path.join(base, "data"), os.path.join(base, "bin")
    os.mkdir(folder)
    os.mkdir(stub)
    with open(os.path.join(stub, "isg"), "w") as f: # serve only judges what it would run with
        f.write('#!/bin/sh\n[ "$1" = serve ] && set -- check-config\nexec "%s" "$@"\n' % ISG)
    os.chmod(os.path.join(stub, "isg"), 0o755)
    env = dict(os.environ, ISG_DIR=folder, PATH=stub + ":" + os.environ["PATH"],
               ISG_IMAGE_SETTINGS=os.path.join(SOURCE, "docker/isg.yaml"))

    def start():
        return subprocess.run([os.path.join(SOURCE, "docker/entry.sh"), "serve"], env=env,
                              capture_output=True, text=True)

    def text():
        with open(os.path.join(folder, "isg.yaml")) as f:
            return f.read()

    r = start()
    same(r.returncode, 0, "the first start: " + r.stderr.strip())
    first = text()
    ok("unix:/run/redis/redis.sock" in first and first.count("redis:") == 1, "with the image's settings")
    same(os.stat(os.path.join(folder, "isg.yaml")).st_mode & 0o777, 0o600, "for its owner alone")
    same((start().returncode, text()), (0, first), "the second start changes nothing")
    with open(os.path.join(folder, ".first-start"), "w"):
        pass
    same((start().returncode, text()), (0, first), "cut short after init: the settings stand once")
    with open(os.path.join(folder, ".first-start"), "w"):
        pass
    os.unlink(os.path.join(folder, "isg.yaml"))
    r = start()
    same((r.returncode, text().count("redis:")), (0, 1), "cut short within init: " + r.stderr.strip())
    shutil.rmtree(base)


def redis_command():
    """The compose file's own line for Redis, with other paths."""
    folder = tempfile.mkdtemp(prefix="isg-docker-")
    text = read("compose.yml")
    block = text[text.index("exec redis-server"):]
    block = block[:block.index("volumes:")]
    script = "\n".join(line.strip() for line in block.splitlines()).replace("$$", "$")
    for old in ("/run/redis", "/var/lib/redis-isg", "/run/secrets"):
        script = script.replace(old, folder)
    with open(os.path.join(folder, "redis_password"), "w") as f:
        f.write("pass/word+of=redis\n")
    server = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.DEVNULL)
    socket = os.path.join(folder, "redis.sock")

    def ask(*words, **env):
        return subprocess.run(["redis-cli", "-s", socket, *words], capture_output=True, text=True,
                              env=dict(os.environ, **env)).stdout

    until(lambda: ask("ping").strip())  # whatever it says: it listens
    ok("NOAUTH" in ask("ping"), "Redis wants its password")
    ok("PONG" in ask("ping", REDISCLI_AUTH="pass/word+of=redis"), "and takes it")
    ok("always" in ask("config", "get", "appendfsync", REDISCLI_AUTH="pass/word+of=redis"),
       "every write goes to the disk")
    with open("/proc/%d/cmdline" % server.pid) as f:
        line = f.read()
    ok("redis-server" in line and "pass/word" not in line, "it is the container's first process")
    server.terminate()
    same(server.wait(60), 0, "and ends when it is told to")
    shutil.rmtree(folder)


def proxy():
    """The variables that HAProxy's example wants are those that it explains."""
    lines = read("haproxy.cfg").splitlines()
    wanted = set(re.findall(r"\$\{(\w+)\}", "\n".join(line for line in lines if not line.startswith("#"))))
    told = {word for line in lines if line.startswith("#") for word in re.findall(r"\bISG_\w+", line)}
    same(told, wanted, "the environment of haproxy.cfg")


def scripts():
    for name in sorted(os.listdir(os.path.join(SOURCE, "docker"))):
        if name.endswith(".sh"):
            path = os.path.join(SOURCE, "docker", name)
            same(subprocess.run(["sh", "-n", path]).returncode, 0, "%s is sound shell" % name)


dockerfile()
compose()
settings()
packages()
entry()
redis_command()
proxy()
scripts()
done()
