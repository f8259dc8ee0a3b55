#!/usr/bin/env python3
"""What can be read from docker/ without an engine: stages, user, no secret, health check, settings."""
import os
import re
import shutil
import tempfile

from gateway import SOURCE, Instance, done, ok, same

import subprocess
from gateway import ISG


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


def scripts():
    for name in sorted(os.listdir(os.path.join(SOURCE, "docker"))):
        if name.endswith(".sh"):
            path = os.path.join(SOURCE, "docker", name)
            same(subprocess.run(["sh", "-n", path]).returncode, 0, "%s is sound shell" % name)


dockerfile()
compose()
settings()
scripts()
done()
