#!/usr/bin/env python3
"""The listener under raw requests: framing, targets, headers; then deadlines, limits, uploads, TLS.

  raw_table.py PROGRAM [SECTION ...]

PROGRAM is http_echo. Prints TAP. Each row of the table is sent on a connection of its own, plain and
over TLS, with a second request behind it where the end of the first one is in question: whoever
answers it shows where the server believes the first one ended.
"""
import hashlib
import io
import os
import re
import resource
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

PROGRAM = sys.argv[1]
WORK = tempfile.mkdtemp(prefix="isg-http-")
MIB = 1 << 20
PATIENCE = 60  # seconds at most for what should come: generous, so that a busy machine fails nothing
counts = {"run": 0, "bad": 0}


def check(holds, name):
    counts["run"] += 1
    if not holds:
        counts["bad"] += 1
    print("%sok %d - %s" % ("" if holds else "not ", counts["run"], name), flush=True)
    return holds


class Server:
    """One running http_echo; ends with its standard input."""

    def __init__(self, *args, files=None):
        def lower():
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        self.process = subprocess.Popen([PROGRAM, *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=lower)
        words = self.process.stdout.readline().split()
        self.port = int(words[1]) if words[:1] == ["port"] else 0
        self.layout = words[2:3] == ["layout"]
        self.tls = "--tls" in args
        self.url = "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.stdin.close()
        check(self.process.wait(PATIENCE) == 0, "the program ends without complaint")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def unread(self):
        """Bytes in the kernel that the program has not read yet."""
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        return sum(int(row[4].split(":")[1], 16) for row in rows
                   if row[1].endswith(":%04X" % self.port) and row[3] == "01")

    def spares_the_processor(self):
        """Hardly any of a second: of the first one in which it has nothing else to do."""
        for _ in range(10):
            before = self.cpu_seconds()
            time.sleep(1)
            if self.cpu_seconds() - before < 0.3:
                return True
        return False

    def connect(self, timeout=PATIENCE, context=None):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.tls:
            return plain
        return (context or any_tls()).wrap_socket(plain, server_hostname="127.0.0.1")


def any_tls():
    context = ssl.create_default_context(cafile=os.path.join(WORK, "ca.pem"))
    return context


def read_answer(stream, method="GET"):
    """One answer: (status, headers, body), or None when the stream ended."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers = {}
    while True:
        line = stream.readline().rstrip(b"\r\n")
        if not line:
            break
        name, _, value = line.partition(b":")
        headers[name.decode().lower()] = value.strip().decode()
    length = 0 if method == "HEAD" or status < 200 else int(headers.get("content-length", 0))
    return status, headers, stream.read(length)


def talk(server, data, answers=1, closes=False):
    """Send bytes, return the statuses answered and whether the connection was closed. As many answers
    are waited for as there should be, or for the end; then a moment for more than that."""
    found, closed, text = [], False, b""
    with server.connect() as peer:
        try:
            peer.sendall(data)
            while not closed:
                found = statuses(text, closed)
                if len(found) >= answers and not closes:
                    peer.settimeout(0.2)
                piece = peer.recv(65536)
                text += piece
                closed = not piece
        except (socket.timeout, TimeoutError):
            pass
        except OSError:
            closed = True
    return statuses(text, closed), closed


def statuses(text, closed):
    """Of the answers in a stream; -1 for what is none."""
    found = []
    while text:
        head, end, rest = text.partition(b"\r\n\r\n")
        if not end or not head.startswith(b"HTTP/1.1 "):
            if not closed:  # the library's own pages of refusal carry their head twice, then close
                found.append(-1)
            break
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        status = int(head[9:12])
        if status >= 200:
            found.append(status)
        text = rest[int(length.group(1)):] if length else rest
    return found


# ---- the table ----

NEXT = b"GET /taxii2/ HTTP/1.1\r\nHost: second.example\r\n\r\n"


def post(*lines, body=b"", host=True):
    head = [b"POST /inbox/ HTTP/1.1"] + ([b"Host: gateway.example"] if host else []) + list(lines)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def get(*lines, target=b"/taxii2/", version=b"HTTP/1.1", method=b"GET"):
    head = [method + b" " + target + b" " + version, b"Host: gateway.example"] + list(lines)
    return b"\r\n".join(head) + b"\r\n\r\n"


CHUNKED = b"Transfer-Encoding: chunked"
LEN4 = b"Content-Length: 4"

# rule, name, bytes, a second request follows, statuses allowed (several: one list each), closed
ROWS = [
    # what is right stays right
    ("T-012", "a plain request", get(), True, [[200, 200]], False),
    ("T-026", "no User-Agent", get(b"Accept: */*"), False, [[200]], False),
    ("X-29", "a body with length", post(LEN4, body=b"abcd"), True, [[202, 200]], False),
    ("X-29", "a chunked body", post(CHUNKED, body=b"4\r\nabcd\r\nA;n=v\r\n0123456789\r\n0\r\n\r\n"),
     True, [[202, 200]], False),
    ("X-29", "chunked with a trailer", post(CHUNKED, body=b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), True,
     [[202, 200]], False),
    ("X-29", "header names in odd case", post(b"cOnTeNt-LeNgTh: 4", body=b"abcd"), True,
     [[202, 200]], False),
    ("R-005", "a length with leading zeros", post(b"Content-Length: 0004", body=b"abcd"), True,
     [[202, 200]], False),
    ("R-009", "empty lines before the request", b"\r\n\r\n" + get(), False, [[200]], False),
    ("R-004", "a body behind a GET is a body", get(b"Content-Length: %d" % len(NEXT)), True, [[200]],
     False),
    ("X-22", "a refusal before a small body keeps the connection",
     post(LEN4, body=b"abcd").replace(b"/inbox/", b"/denied/"), True, [[401, 200]], False),
    # framing
    ("R-004", "length and chunked", post(LEN4, CHUNKED, body=b"0\r\n\r\n"), True, [[400]], True),
    ("R-004", "chunked and length", post(CHUNKED, LEN4, body=b"0\r\n\r\n"), True, [[400]], True),
    ("R-004", "another coding before chunked", post(b"Transfer-Encoding: gzip, chunked"), True,
     [[400]], True),
    ("R-004", "chunked spelt with a letter more", post(b"Transfer-Encoding: chunkedd"), True,
     [[400]], True),
    ("R-004", "chunked behind a form feed", post(b"Transfer-Encoding:\x0cchunked", LEN4), True,
     [[400]], True),
    ("R-004", "chunked with a blank behind", post(b"Transfer-Encoding: chunked "), True, [[400]],
     True),
    ("R-004", "two codings", post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), True, [[400]], True),
    ("R-004", "a folded coding", post(b"Transfer-Encoding:", b"\tchunked", LEN4), True, [[400]],
     True),
    ("R-004", "an underscore is no hyphen", post(b"Content_Length: 4", body=b""), True,
     [[202, 200]], False),
    ("R-005", "two lengths that differ", post(LEN4, b"Content-Length: 50", body=b"abcd"), True,
     [[400]], True),
    ("R-005", "two lengths that agree", post(LEN4, LEN4, body=b"abcd"), True, [[400]], True),
    ("R-005", "a list of lengths", post(b"Content-Length: 4,4", body=b"abcd"), True, [[400]], True),
    ("R-005", "a length with a sign", post(b"Content-Length: +4", body=b"abcd"), True, [[400]],
     True),
    ("R-005", "a negative length", post(b"Content-Length: -4"), True, [[400]], True),
    ("R-005", "a hexadecimal length", post(b"Content-Length: 0x4", body=b"abcd"), True, [[400]],
     True),
    ("R-005", "a length with a fraction", post(b"Content-Length: 4.0", body=b"abcd"), True, [[400]],
     True),
    ("R-005", "a length in quotes", post(b'Content-Length: "4"', body=b"abcd"), True, [[400]], True),
    ("R-005", "a length that wraps around", post(b"Content-Length: 18446744073709551620"), True,
     [[413], [400]], True),
    ("R-005", "a length of thirty digits", post(b"Content-Length: " + b"9" * 30), True,
     [[413], [400]], True),
    ("R-005", "no digits at all", post(b"Content-Length:"), True, [[400]], True),
    # chunks
    ("R-004", "a chunk size with a prefix", post(CHUNKED, body=b"0x4\r\nabcd\r\n0\r\n\r\n"), True,
     [[400]], True),
    ("R-004", "a negative chunk size", post(CHUNKED, body=b"-4\r\nabcd\r\n0\r\n\r\n"), True, [[400]],
     True),
    ("R-004", "a chunk without size", post(CHUNKED, body=b"\r\nabcd\r\n0\r\n\r\n"), True, [[400]],
     True),
    ("R-004", "a chunk of all there is", post(CHUNKED, body=b"f" * 16 + b"\r\nabcd"), True, [[413]],
     True),
    ("R-004", "a chunk size that wraps", post(CHUNKED, body=b"1" + b"0" * 15 + b"4\r\nabcd"), True,
     [[413], [400]], True),
    ("R-004", "a chunk longer than said", post(CHUNKED, body=b"4\r\nabcdefg\r\n0\r\n\r\n"), True,
     [[400]], True),
    ("R-004", "a chunk line that ends in LF", post(CHUNKED, body=b"4\nabcd\r\n0\r\n\r\n"), True,
     [[400]], True),
    ("R-004", "an extension that ends in LF", post(CHUNKED, body=b"4;x\nabcd\r\n0\r\n\r\n"), True,
     [[400]], True),
    ("R-004", "chunk data that ends in CR", post(CHUNKED, body=b"4\r\nabcd\r0\r\n\r\n"), True,
     [[400]], True),
    # header lines
    ("R-008", "a folded line", get(b"X-Long: a", b" b"), True, [[400]], True),
    ("R-008", "a blank before the colon", post(b"Content-Length : 4", body=b"abcd"), True, [[400]],
     True),
    ("R-008", "a NUL in a name", post(b"Content\0-Length: 4", body=b"abcd"), True, [[400]], True),
    ("R-008", "a NUL in a value", get(b"X: a\0b"), True, [[400]], True),
    ("R-008", "a NUL before a line end", get(b"X: a\0"), True, [[400]], True),
    ("R-008", "an escape byte in a value", get(b"X: \x1b[2J"), True, [[400]], True),
    ("R-008", "a bare CR in a value", get(b"X: a\rContent-Length: 4"), True, [[400]], True),
    ("R-008", "a bare LF in a value", get(b"X: a\nY: b"), True, [[400]], True),
    ("R-008", "a line without colon", get(b"nothing"), True, [[400]], True),
    ("R-008", "a line that is only a colon", get(b":"), True, [[400]], True),
    ("R-008", "brackets in a name", get(b"X[0]: a"), True, [[400]], True),
    ("R-008", "lines that end in LF", get().replace(b"\r\n", b"\n"), True, [[400]], True),
    ("R-008", "too many lines", get(*[b"X-%d: a" % i for i in range(200)]), True, [[431]], True),
    ("R-008", "headers that are too large", get(b"X: " + b"a" * 20000), True, [[431]], True),
    ("R-009", "no host", b"GET /taxii2/ HTTP/1.1\r\nAccept: */*\r\n\r\n", True, [[400]], True),
    ("R-009", "two hosts", get(b"Host: other.example"), True, [[400]], True),
    ("R-009", "a host with a path", get().replace(b"gateway.example", b"a/../b"), True, [[400]],
     True),
    # request line
    ("R-009", "a long target", get(target=b"/" + b"a" * 9000), True, [[414]], True),
    ("R-009", "thousands of arguments", get(target=b"/taxii2/?" + b"a&" * 4000), True, [[200, 200]],
     False),
    ("R-009", "an encoded NUL", get(target=b"/taxii2/%00/"), True, [[400]], True),
    ("R-009", "an encoded slash", get(target=b"/taxii2%2F"), True, [[400]], True),
    ("R-009", "encoded dots and slashes", get(target=b"/..%2f..%2fetc/passwd"), True, [[400]], True),
    ("R-009", "an encoded line end", get(target=b"/a%0d%0aX:y"), True, [[400]], True),
    ("R-009", "a broken escape", get(target=b"/a%2"), True, [[400]], True),
    ("R-009", "dots stay dots", get(target=b"/taxii2/../taxii2/"), True, [[404, 200]], False),
    ("R-009", "two slashes", get(target=b"//taxii2/"), True, [[404, 200]], False),
    ("R-009", "bytes that are no UTF-8", get(target=b"/\xc0\xaf"), True, [[400]], True),
    ("R-009", "the absolute form", get(target=b"http://other.example/taxii2/"), True, [[400]], True),
    ("R-009", "an asterisk", get(target=b"*", method=b"OPTIONS"), True, [[400]], True),
    ("R-009", "a blank in the target", get(target=b"/taxii2/ x"), True, [[400]], True),
    ("R-009", "two blanks before the target", get(target=b" /taxii2/"), True, [[400]], True),
    ("R-009", "a NUL in the target", get(target=b"/taxii2/\0"), True, [[400]], True),
    ("R-009", "a tunnel", get(target=b"192.0.2.1:443", method=b"CONNECT"), True, [[501]], True),
    ("R-009", "a mirror", get(method=b"TRACE"), True, [[501]], True),
    ("R-009", "an unknown method", get(method=b"BREW"), True, [[405, 200]], False),
    ("R-009", "HTTP/1.0", get(version=b"HTTP/1.0"), True, [[505]], True),
    ("R-009", "HTTP/3.0", get(version=b"HTTP/3.0"), True, [[505]], True),
    ("R-009", "a version with a tail", get(version=b"HTTP/1.1a"), True, [[400]], True),
    ("R-009", "no version", b"GET /taxii2/\r\n\r\n", True, [[400]], True),
    # wishes
    ("X-29", "an expectation nobody meets", post(b"Expect: tea", LEN4, body=b"abcd"), True, [[417]],
     True),
    ("R-019", "a compressed body", post(b"Content-Encoding: gzip", LEN4, body=b"abcd"), True,
     [[415]], True),
    ("R-013", "an upgrade is ignored", get(b"Connection: Upgrade", b"Upgrade: h2c"), False, [[200]],
     False),
]


def table(server, label):
    for rule, name, data, second, wanted, closes in ROWS:
        if name.startswith("a NUL before") and not server.layout:
            continue
        found, closed = talk(server, data + (NEXT if second else b""), max(map(len, wanted)), closes)
        if not check(found in wanted and closed == closes, "%s %s: %s" % (label, rule, name)):
            print("# got %s, %s" % (found, "closed" if closed else "open"))


# ---- conversations ----

def read_late(peer, data, late=1.0):
    """Send requests, of which the last one ends the connection; read nothing until the answers have
    filled all buffers; all that came then. One thread does both, as OpenSSL asks for."""
    retry = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    text, sent, last = bytearray(), 0, time.monotonic() + late
    begin = last
    peer.setblocking(False)
    while time.monotonic() - last < PATIENCE:
        try:
            sent += peer.send(data[sent:sent + 16384]) if sent < len(data) else 0
        except retry:
            pass
        if time.monotonic() < begin:
            continue
        try:
            piece = peer.recv(65536)
            text += piece
            last = time.monotonic()
            if not piece:
                break
        except retry:
            time.sleep(0.001)
        except OSError:
            break
    return bytes(text)


def conversations(server, label):
    with server.connect() as peer:
        stream = peer.makefile("rb")
        peer.sendall(get(method=b"HEAD"))
        status, headers, _ = read_answer(stream, "HEAD")
        peer.sendall(get())
        again, same, body = read_answer(stream)
        check(status == again == 200 and headers["content-length"] == same["content-length"] and
              int(same["content-length"]) == len(body), label + " HEAD is GET without the body")
        check(same["content-type"] == "application/taxii+json;version=2.1" and "date" in same and
              same["x-content-type-options"] == "nosniff" and "no-transform" in same["cache-control"],
              label + " X-04: headers of every reply")
        peer.sendall(get(target=b"/nowhere/"))
        status, headers, body = read_answer(stream)
        check(status == 404 and headers["content-type"] == "application/taxii+json;version=2.1" and
              b'"http_status":"404"' in body, label + " T-067: an error resource")
        times = []
        for _ in range(200):
            started = time.monotonic()
            peer.sendall(get())
            read_answer(stream)
            times.append(time.monotonic() - started)
        # an answer that waits for an acknowledgement takes 40 ms, and then each of them does
        check(sorted(times)[20] < 0.035, label + " X-37: 200 requests on one connection")
        peer.sendall(get(target=b"/wait/") + get(target=b"/big/"))
        check(read_answer(stream)[0] == 200 and len(read_answer(stream)[2]) == MIB,
              label + " a reply from a worker, then a large one")
        peer.sendall(post(LEN4, body=b"abcd").replace(b"/inbox/", b"/wait/"))
        check(read_answer(stream)[0] == 202, label + " a body for a worker")
    with server.connect() as peer:
        stream = peer.makefile("rb")
        paths = [b"/taxii2/" if i % 3 else b"/nowhere/" for i in range(1000)]
        peer.sendall(b"".join(get(target=p) for p in paths))
        order = [read_answer(stream)[0] for _ in paths]
        check(order == [200 if p == b"/taxii2/" else 404 for p in paths],
              label + " R-012: 1,000 requests in one go, answered in order")
    with server.connect() as peer:
        stream = io.BytesIO(read_late(peer, get(target=b"/nowhere/") * 19999 +
                                      get(b"Connection: close", target=b"/nowhere/")))
        answers = [read_answer(stream) for _ in range(20000)]
        check(all(a is not None and a[0] == 404 and len(a[2]) == int(a[1]["content-length"])
                  for a in answers), label + " R-012: a reader that is late gets every answer whole")
    with server.connect() as peer:
        stream = peer.makefile("rb")
        peer.sendall(post(LEN4, b"Expect: 100-continue"))
        first = read_answer(stream)
        peer.sendall(b"abcd")
        check(first[0] == 100 and read_answer(stream)[0] == 202, label + " X-29: 100, then the body")
    with server.connect() as peer:
        stream = peer.makefile("rb")
        peer.sendall(post(LEN4, b"Expect: 100-continue").replace(b"/inbox/", b"/denied/"))
        check(read_answer(stream)[0] == 401 and read_answer(stream) is None,
              label + " X-29: no 100 for what is refused")
    with server.connect() as peer:
        stream = peer.makefile("rb")
        peer.sendall(post(b"Content-Length: 3000000") + b"a" * 100000)
        status, headers, body = read_answer(stream)
        check(status == 413 and headers["connection"] == "close" and b"413" in body,
              label + " R-010: a length over the limit, answered at once")
    with server.connect() as peer:
        stream = peer.makefile("rb")
        peer.sendall(post(CHUNKED) + (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 20)
        check(read_answer(stream)[0] == 413, label + " R-010: chunks over the limit")
    with server.connect() as peer:
        stream = peer.makefile("rb")
        peer.sendall(post(b"Content-Length: 900000").replace(b"/inbox/", b"/denied/"))
        check(read_answer(stream)[0] == 401, label + " a refusal before a large body")
        started = time.monotonic()
        try:
            while time.monotonic() - started < PATIENCE:
                peer.sendall(b"a")
                time.sleep(0.05)
        except OSError:
            pass
        check(time.monotonic() - started < PATIENCE, label + " R-002: and then not for long")


def half_closed(server):
    """Clients that send all, close their half and wait for the answer, as `printf | socat` does, while
    others keep their connections open."""
    others = [server.connect() for _ in range(8)]
    for peer in others:
        peer.sendall(get())
        read_answer(peer.makefile("rb"))
    worker = get(target=b"/wait/")
    upload = post(LEN4, body=b"abcd").replace(b"/inbox/", b"/wait/")
    for name, data, want in (
            ("a reply from memory", get(), [200]), ("a worker's", worker, [200]),
            ("a body for a worker", upload, [202]), ("several", upload + worker + get(), [202, 200, 200]),
            ("a head for a worker", get(target=b"/denied/?wait"), [401]),
            ("head and body", upload.replace(b"/wait/", b"/denied/?wait"), [401])):
        for _ in range(5):
            with server.connect() as peer:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                text = peer.makefile("rb").read()
            if statuses(text, False) != want:
                break
        check(statuses(text, False) == want, "half closed: %s is answered" % name)
    for peer in others:
        peer.sendall(get(target=b"/wait/"))
        check(read_answer(peer.makefile("rb"))[0] == 200, "half closed: and the others go on")
        peer.close()


def uploads(server, label):
    """A client that looks for an answer only while it uploads."""
    if not shutil.which("curl"):
        return
    path = os.path.join(WORK, "upload")
    with open(path, "wb") as file:
        file.truncate(100 * MIB)
    for name, extra in [("declared", ["-H", "Expect:"]), ("declared, with Expect", []),
                        ("chunked", ["-H", "Expect:", "-H", "Transfer-Encoding: chunked"])]:
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}",
                               "--cacert", os.path.join(WORK, "ca.pem"), "--max-time", "120", "-X",
                               "POST", "-T", path, *extra, server.url + "/inbox/"],
                              stdout=subprocess.PIPE, text=True).stdout.split()
        check(done[0] == "413" and int(done[1]) < 30 * MIB, "%s R-010: curl sees 413, %s" %
              (label, name))
    os.unlink(path)


# ---- deadlines ----

def closed_after(peer, drip=None, at_most=PATIENCE, started=None):
    """Seconds until the server closes, dripping a byte now and then; None when it does not."""
    started = started or time.monotonic()
    end = time.monotonic() + at_most
    peer.settimeout(0.2)
    while time.monotonic() < end:
        try:
            if drip:
                peer.sendall(drip)
            if not peer.recv(65536):
                return time.monotonic() - started
        except (socket.timeout, TimeoutError):
            continue
        except OSError:
            return time.monotonic() - started
    return None


def deadlines(server, label):
    # name, what is sent at once, what drips
    rows = [("R-001: silence", b"", None), ("R-001: endless empty lines", b"", b"\r\n"),
            ("R-001: a slow header", b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nX: ", b"a"),
            ("R-001: a slow second header", get() + b"GET /taxii2/ HT", b"T"),
            ("R-002: a slow body", post(b"Content-Length: 100000"), b"a"),
            ("R-002: a slow trailer", post(CHUNKED) + b"1\r\na\r\n0\r\nX: ", b"a")]
    for name, data, drip in rows:
        started = time.monotonic()
        with server.connect() as peer:
            peer.sendall(data)
            took = closed_after(peer, drip, started=started)
        check(took is not None and took > 0.5, label + " " + name)
    with server.connect() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(get(target=b"/big/") * 16)
        cut = select.poll()
        cut.register(peer, 0)  # only errors and the end
        cut.poll(PATIENCE * 1000)
        total = 0
        try:
            while True:
                piece = peer.recv(MIB)
                if not piece:
                    break
                total += len(piece)
        except OSError:
            pass
        check(total < 16 * MIB, label + " R-002: who does not read is cut off")


def slow_crowd(server):
    """R-001: 300 slow headers; others are served meanwhile."""
    crowd = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
    for peer in crowd:
        peer.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\n")
    slowest = 0.0
    for _ in range(20):
        started = time.monotonic()
        found, _ = talk(server, get(b"Connection: close"), closes=True)
        slowest = max(slowest, time.monotonic() - started if found == [200] else 99.0)
    check(slowest < 20, "R-001: others are served among 300 slow ones")
    deadline = time.monotonic() + PATIENCE
    closed = 0
    for peer in crowd:
        peer.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            closed += peer.recv(100) == b""
        except (socket.timeout, TimeoutError):
            pass
        except OSError:
            closed += 1
        peer.close()
    check(closed == 300, "R-001: and each of them is closed")


# ---- limits ----

def is_served(server):
    """Sooner or later: that others have gone has to be noticed first."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if talk(server, get(b"Connection: close"), closes=True)[0] == [200]:
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def limits():
    with Server("connections=20", "header_ms=60000") as server:
        crowd = [server.connect() for _ in range(40)]
        check(server.spares_the_processor(), "R-011: no busy loop while full")
        late = crowd.pop()
        late.sendall(get())
        late.settimeout(0.3)
        try:
            check(late.recv(10) == b"", "R-011: over the limit nothing is served")
        except (socket.timeout, TimeoutError):
            check(True, "R-011: over the limit nothing is served")
        for peer in crowd:
            peer.close()
        late.settimeout(PATIENCE)
        check(late.recv(10).startswith(b"HTTP/1.1 2"), "R-011: served as soon as there is room")
        late.close()
    with Server("per_address=5", "header_ms=60000") as server:
        crowd = [server.connect() for _ in range(5)]
        for n in range(3):
            # one that was taken in and not begun yet cannot give way: whoever comes then comes again
            check(is_served(server), "R-001: silent ones of an address give way")
        oldest = closed_after(crowd[0]) is not None
        gone = [closed_after(peer, at_most=0.2) is not None for peer in reversed(crowd[1:])]
        check(oldest and gone == sorted(gone), "R-001: the oldest do, however many had to")
        for peer in crowd:
            peer.close()
        crowd = [server.connect() for _ in range(5)]
        for peer in crowd:
            peer.sendall(get())
            check(peer.recv(4096).startswith(b"HTTP/1.1 2"), "R-011: five are served")
        with server.connect() as sixth:
            check(closed_after(sixth) is not None, "R-011: one address, one share")
        crowd.pop().close()
        check(is_served(server), "R-011: and room again")
        for peer in crowd:
            peer.close()
    with Server("connections=4000", "header_ms=60000", files=128) as server:
        crowd = []
        try:
            for _ in range(600):
                crowd.append(server.connect(timeout=1))
        except OSError:
            pass
        check(server.spares_the_processor(), "R-011: few descriptors, no busy loop")
        for peer in crowd:
            peer.close()
        check(is_served(server), "R-011: few descriptors, recovered")


def waiting():
    """Two workers and four places in the queue: the seventh is told to come again."""
    with Server() as server:
        crowd = [server.connect() for _ in range(12)]
        for peer in crowd:
            peer.sendall(get(target=b"/slow/"))
        refused = select.select(crowd, [], [], PATIENCE)[0]
        check(talk(server, get())[0] == [200] and len(select.select(crowd, [], [], 0)[0]) < 12 and refused,
              "what need not wait is answered while all workers are busy")
        answers = [read_answer(peer.makefile("rb")) for peer in crowd]
        busy = [a for a in answers if a[0] == 503]
        check(sorted({a[0] for a in answers}) == [200, 503] and
              all("retry-after" in a[1] for a in busy), "a full queue is 503 with Retry-After")
        for peer in crowd:
            peer.close()
        # stop while requests wait: within the grace, else 503
        crowd = [server.connect() for _ in range(5)]
        for peer in crowd:  # each is met, before all of them have to wait
            peer.sendall(get())
            peer.recv(65536)
        for peer in crowd:
            peer.sendall(get(target=b"/slow/"))
        while server.unread():
            time.sleep(0.01)
        time.sleep(0.3)
        server.process.stdin.close()
        answers = [read_answer(peer.makefile("rb")) for peer in crowd]
        check(all(a is not None and a[0] in (200, 503) for a in answers) and
              503 in [a[0] for a in answers], "a stop answers 503 to who still waits")
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
            check(False, "a stopped listener takes nobody")
        except OSError:
            check(True, "a stopped listener takes nobody")
        for peer in crowd:
            peer.close()


def vanishing():
    """Clients that go while a worker has their request, and a stop in the middle of it."""
    with Server() as server:
        def come_and_go():
            for _ in range(150):
                try:
                    with server.connect() as peer:
                        peer.sendall(get(target=b"/wait/"))
                except OSError:
                    return
        crowd = [threading.Thread(target=come_and_go) for _ in range(4)]
        for one in crowd:
            one.start()
        crowd[0].join()
        check(is_served(server), "clients may go while they are waited for")
        server.process.stdin.close()
        check(server.process.wait(PATIENCE) == 0, "and the listener may stop meanwhile")
        for one in crowd:
            one.join()


def addresses():
    for listen, families in [("[::1]:0", [socket.AF_INET6]), ("localhost:0", [socket.AF_INET]),
                             ("*:0", [socket.AF_INET, socket.AF_INET6])]:
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            break
        with Server("--listen", listen) as server:
            for family in families:
                host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
                with socket.create_connection((host, server.port), timeout=5) as peer:
                    peer.sendall(get(b"X-Forwarded-For: 192.0.2.1", b"Forwarded: for=192.0.2.1",
                                     target=b"/who/"))
                    body = read_answer(peer.makefile("rb"))[2]
                    check(('"peer":"%s"' % host).encode() in body,
                          "R-015: %s serves %s, whatever it says of itself" % (listen, host))
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    for listen, text in [("127.0.0.1:%d" % taken.getsockname()[1], "cannot listen"),
                         ("nowhere", "not HOST:PORT")]:
        done = subprocess.run([PROGRAM, "--listen", listen], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        check(done.returncode == 1 and text in done.stderr, "a listener that cannot be: " + text)
    taken.close()


def unix_socket():
    path = os.path.join(WORK, "admin.sock")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    with Server("--unix", path) as server:
        check(os.stat(path).st_mode & 0o777 == 0o600, "the Unix socket is for its owner")
        check(server.port != 0, "a stale Unix socket is replaced")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(path)
            peer.sendall(get(target=b"/who/"))
            check(b'"peer":"unix"' in read_answer(peer.makefile("rb"))[2], "its peer is unix")
        second = subprocess.run([PROGRAM, "--unix", path], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        check(second.returncode == 1 and "in use" in second.stderr, "a served one is left alone")
        check(os.path.exists(path), "and is still there")
    check(not os.path.exists(path), "it is removed at the end")


# ---- TLS ----

def handshake(server, context):
    try:
        with server.connect(context=context) as peer:
            return peer.version(), peer.cipher()[0]
    except (ssl.SSLError, OSError):
        return None, None


def tls_rules(server):
    for name, low, high, wanted in [
            ("T-135: TLS 1.2", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
            ("T-136: TLS 1.3", ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
            ("R-017: no TLS 1.1", ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1, None)]:
        context = any_tls()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version, context.maximum_version = low, high
        check(handshake(server, context)[0] == wanted, name)
    for suites, wanted in [("ECDHE+AESGCM", True), ("ECDHE+CHACHA20", True),
                           ("ECDHE-ECDSA-AES128-SHA256", False), ("ECDHE-ECDSA-AES256-SHA", False),
                           ("AES128-GCM-SHA256:AES256-GCM-SHA384", False), ("AES128-SHA", False)]:
        context = any_tls()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suites + ":@SECLEVEL=0")
        check((handshake(server, context)[0] is not None) == wanted, "T-138: %s %s" %
              (suites, "spoken" if wanted else "not spoken"))
    context = any_tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with server.connect(context=context) as peer:
        session = peer.session
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as again:
            check(again.session_reused, "a session is resumed by its ticket")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.sendall(get())
        check(b"HTTP" not in plain.recv(100), "plain HTTP on the TLS port is not answered")


def tls_records(server):
    """What one recv gives over TLS is one record."""
    with server.connect() as peer:
        whole = 0
        for _ in range(20):
            peer.sendall(get())
            piece = peer.recv(65536)
            if piece.endswith(b"}"):
                whole += 1
            else:  # something sent before was on its way, such as the session's tickets
                peer.recv(65536)
        check(whole > 10, "a short reply comes in one record")
        peer.sendall(get(target=b"/big/") + get())
        stream = peer.makefile("rb")
        check(len(read_answer(stream)[2]) == MIB and read_answer(stream)[0] == 200,
              "a short reply behind a long one")
        peer.sendall(get(b"Connection: close"))
        check(read_answer(stream)[0] == 200 and read_answer(stream) is None,
              "a short reply at the end of a connection")
        with server.connect() as other:
            for byte in get():  # each in a record of its own
                other.sendall(bytes([byte]))
            check(other.recv(65536).startswith(b"HTTP/1.1 200"), "a head in records of one byte")


def tls_early_data(server):
    """Tickets say how much early data may come: nothing."""
    if not shutil.which("openssl"):
        return
    client = subprocess.Popen(["openssl", "s_client", "-tls1_3", "-connect",
                               "127.0.0.1:%d" % server.port], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    limit = threading.Timer(PATIENCE, client.kill)
    limit.start()
    shown = ""
    for line in client.stdout:  # the tickets come after the handshake
        shown += line
        if "Max Early Data" in line:
            break
    limit.cancel()
    shown += client.communicate("Q\n", timeout=PATIENCE)[0]
    check(set(re.findall(r"Max Early Data: (\d+)", shown)) == {"0"}, "T-137: no early data")


def tls_reload(server):
    def serial():
        with server.connect() as peer:
            return peer.getpeercert()["serialNumber"]
    before = serial()
    with server.connect() as kept:
        stream = kept.makefile("rb")
        kept.sendall(get())
        read_answer(stream)
        check(server.tell("renew") == "ok", "a new certificate is read")
        check(serial() != before, "and served to those that come")
        kept.sendall(get())
        check(read_answer(stream)[0] == 200, "who was there stays connected")
        now = serial()
        check(server.tell("spoil") != "ok" and serial() == now, "a broken file changes nothing")


def certtool(*args, template=None):
    path = os.path.join(WORK, "template")
    with open(path, "w") as file:
        file.write(template or "")
    subprocess.run(["certtool", *args] + (["--template", path] if template else []), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=WORK)


def client_certificates():
    if not shutil.which("certtool"):
        return print("# certtool is not installed: client certificates were not tried")
    for name in ("ca", "server", "member"):
        certtool("--generate-privkey", "--ecdsa", "--outfile", name + ".key")
    signed = ["--load-ca-certificate", "own-ca.pem", "--load-ca-privkey", "ca.key"]
    certtool("--generate-self-signed", "--load-privkey", "ca.key", "--outfile", "own-ca.pem",
             template='cn = "CA"\nca\ncert_signing_key\nexpiration_days = 9\n')
    certtool("--generate-certificate", "--load-privkey", "server.key", "--outfile", "server.pem",
             *signed, template='cn = "x"\nip_address = 127.0.0.1\ntls_www_server\n'
             "signing_key\nexpiration_days = 9\n")
    member = 'cn = "member"\nsigning_key\n'
    kinds = [("good", signed, member + "tls_www_client\nexpiration_days = 9\n", True),
             ("expired", signed, member + 'tls_www_client\nactivation_date = "2020-01-01"\n'
              'expiration_date = "2020-02-01"\n', False),
             ("another CA", None, member + "tls_www_client\nexpiration_days = 9\n", False),
             ("another purpose", signed, member + "tls_www_server\nexpiration_days = 9\n", False)]
    join = lambda name: os.path.join(WORK, name)
    with Server("--cert", join("server.pem"), "--key", join("server.key"), "--ca",
                join("own-ca.pem")) as server:
        server.tls = True
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            def who(certificate, session=None):
                context = ssl.create_default_context(cafile=join("own-ca.pem"))
                context.minimum_version = context.maximum_version = version
                if certificate:
                    context.load_cert_chain(join(certificate), join("member.key"))
                try:
                    with server.connect(context=context) as peer:
                        peer.sendall(get(target=b"/who/"))
                        answer = read_answer(peer.makefile("rb"))
                        return re.search(rb'"certificate":"([0-9a-f]*)"', answer[2]).group(1)
                except (OSError, TypeError):
                    return None
            check(who(None) == b"", "%s: no client certificate, none shown" % version.name)
            for name, signer, template, holds in kinds:
                if signer:
                    certtool("--generate-certificate", "--load-privkey", "member.key", "--outfile",
                             "member.pem", *signer, template=template)
                else:
                    certtool("--generate-self-signed", "--load-privkey", "member.key", "--outfile",
                             "member.pem", template=template)
                with open(join("member.pem")) as file:
                    der = ssl.PEM_cert_to_DER_cert(file.read()[-10000:].split("\n\n")[-1])
                print_of = hashlib.sha256(der).hexdigest().encode()
                found = who("member.pem")
                check(found == (print_of if holds else None), "%s R-017: a client certificate, %s" %
                      (version.name, name))


def main():
    wanted = sys.argv[2:]
    limit = ["body_max=%d" % MIB]
    short = ["header_ms=1000", "body_ms=1000", "idle_ms=1000"]
    for label, tls in [("plain", []), ("tls", ["--tls", WORK])] if not wanted else []:
        with Server(*tls, *limit) as server:
            check(server.layout, "the layout check holds with this library")
            table(server, label)
            conversations(server, label)
            uploads(server, label)
            if not tls:
                half_closed(server)
            if tls:
                tls_rules(server)
                tls_records(server)
                tls_early_data(server)
                tls_reload(server)
        with Server(*tls, *short) as server:
            deadlines(server, label)
            if not tls:
                slow_crowd(server)
    for section in (limits, waiting, vanishing, addresses, client_certificates, unix_socket):
        if not wanted or section.__name__ in wanted:
            section()
    shutil.rmtree(WORK)
    print("1..%d" % counts["run"])
    return 1 if counts["bad"] else 0


sys.exit(main())
