"""Servers on loopback that misbehave on purpose, by path, and note what they were sent."""
import email.utils
import gzip
import http.server
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

KEV = json.dumps({"title": "t", "catalogVersion": "v", "count": 1, "vulnerabilities": [
    {"cveID": "CVE-2032-00001", "dateAdded": "2032-01-01"}]}).encode()


class Server(http.server.ThreadingHTTPServer):
    """scheme://127.0.0.1:port; `seen` holds (path, headers, client certificate) of each request."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, context=None, handler=None):
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.scheme, self.context = "https" if context else "http", context
        self.seen, self.other, self.release = [], None, threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        if self.context:
            connection.settimeout(60)
            # with the first read, in the connection's own thread: one that stalls keeps nobody waiting
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def url(self, path, host="127.0.0.1"):
        return "%s://%s:%d%s" % (self.scheme, host, self.server_port, path)

    def asked(self, path):
        return [s for s in self.seen if s[0] == path]

    def handle_error(self, request, client_address):
        pass  # clients that hang up are the point


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        shown = getattr(self.connection, "getpeercert", lambda: None)()
        self.server.seen.append((self.path, dict(self.headers), shown))
        getattr(self, "at_" + self.path.strip("/").split("/")[0].split("?")[0], self.at_nothing)()

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def start_body(self, length=None):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.close_connection = True

    def times(self):
        return len(self.server.asked(self.path))

    def at_nothing(self):
        self.answer(b"", 404)

    # ---- bodies

    def at_good(self):
        self.answer(KEV, Content_Type="application/json")

    def at_image(self):
        self.answer(KEV, Content_Type="image/png")

    def at_html(self):
        self.answer(b"<!doctype html><p>Please log in", Content_Type="text/html")

    def at_captcha(self):
        self.answer(b"One moment please", Content_Type="text/html; charset=utf-8")

    def at_block(self):
        self.answer(b"\n<html><body>blocked", Content_Type="application/json")

    def at_empty(self):
        self.answer(b"")

    def at_half(self):
        self.answer(KEV[:len(KEV) // 2])

    def at_mark(self):
        self.answer(b"\xef\xbb\xbf" + KEV)

    def at_wide(self):
        self.answer(KEV.decode().encode("utf-16"), Content_Type="application/json; charset=utf-16")

    def at_file(self):
        self.answer(gzip.compress(KEV), Content_Type="application/gzip")

    def at_cutfile(self):
        self.answer(gzip.compress(KEV)[:-9], Content_Type="application/gzip")

    def at_packed(self):
        self.answer(gzip.compress(KEV), Content_Encoding="gzip")

    def at_bomb(self):
        self.answer(gzip.compress(b"[" + b" " * (64 << 20)), Content_Encoding="gzip")

    def at_bombfile(self):
        self.answer(gzip.compress(b"[" + b" " * (64 << 20)), Content_Type="application/gzip")

    def at_many(self):
        self.answer(b"".join(b"pump-%d.net\n" % n for n in range(1000)))

    def at_deep(self):
        self.answer(b'{"a":' * 30 + b"1" + b"}" * 30)

    def at_long(self):
        self.answer(b'{"a":"' + b"x" * 5000 + b'"}')

    def at_endless(self):
        self.start_body()
        while True:
            self.wfile.write(b"[" * 65536)

    def at_declared(self):
        self.start_body(10 << 30)
        self.wfile.write(b"[" * 1000)

    def at_slow(self):
        """A byte now and then, for ever."""
        self.start_body(1000000)
        while True:
            self.wfile.write(b"[")
            self.wfile.flush()
            time.sleep(0.2)

    def at_stalled(self):
        """Half of it, and the rest once the test says so."""
        self.start_body(len(KEV))
        self.wfile.write(KEV[:20])
        self.wfile.flush()
        self.server.release.wait(600)
        self.wfile.write(KEV[20:])

    def at_short(self):
        """Less than the length says."""
        self.start_body(len(KEV) + 1)
        self.wfile.write(KEV)

    def at_longer(self):
        """More than the length says: what was promised is cut short."""
        self.start_body(len(KEV) - 1)
        self.wfile.write(KEV)

    def at_twolengths(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n[[[[[[[")
        self.close_connection = True

    def at_early(self):
        """The end of the connection in the middle of an unknown length."""
        self.start_body()
        self.wfile.write(KEV[:30])

    def at_chunk(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s" % (len(KEV), KEV[:30]))
        self.close_connection = True

    def at_hangup(self):
        self.close_connection = True

    def at_reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def at_garbage(self):
        self.wfile.write(b"nonsense\r\n\r\n")
        self.close_connection = True

    def at_headers(self):
        self.send_response(200)
        for n in range(4000):
            self.send_header("X-%d" % n, "y" * 100)
        self.end_headers()
        self.close_connection = True

    # ---- a server that is busy

    def at_busy(self):
        """429 with seconds, 503 with a date, then well."""
        if self.times() == 1:
            self.answer(b"", 429, Retry_After="1")
        elif self.times() == 2:
            self.answer(b"", 503, Retry_After=email.utils.formatdate(time.time() + 2, usegmt=True))
        else:
            self.at_good()

    def at_tired(self):
        self.answer(b"", 503, Retry_After="1")

    def at_later(self):
        self.answer(b"", 429, Retry_After="7200")

    def at_401(self):
        self.answer(b"", 401, WWW_Authenticate="Basic realm=x")

    def at_403(self):
        self.answer(b"{}", 403, Retry_After="1")

    def at_404(self):
        self.answer(b"", 404, Retry_After="1")

    def at_304(self):
        self.answer(b"", 304)

    def at_500(self):
        self.answer(b"", 500)

    # ---- redirects

    def go(self, to, status=302):
        self.answer(b"", status, Location=to)

    def at_hops(self):
        """/hops/N: N redirects, each of another kind."""
        n = int(self.path.rsplit("/", 1)[1])
        self.go("/hops/%d" % (n - 1) if n > 1 else "/good", (301, 302, 303, 307, 308)[n % 5])

    def at_loop(self):
        self.go("/loop")

    def at_away(self):
        """To the other server: another port, or also another scheme."""
        self.go(self.server.other.url("/good"))

    def at_to(self):
        """/to?URL"""
        self.go(self.path.split("?", 1)[1])


class Proxy(http.server.ThreadingHTTPServer):
    """An HTTP proxy: whatever host it is asked for, it answers for it."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_response(200)
        self.send_header("Content-Length", str(len(KEV)))
        self.end_headers()
        self.wfile.write(KEV)

    def do_CONNECT(self):
        self.server.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_response(502)
        self.end_headers()


class Socks(threading.Thread):
    """A SOCKS5 proxy of one method and one command; whatever name it is given, it leads to port."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener, self.to, self.names = socket.create_server(("127.0.0.1", 0)), port, []
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        stream = client.makefile("rb")
        stream.read(stream.read(2)[1])
        client.sendall(b"\x05\x00")
        _, _, _, kind = stream.read(4)
        self.names.append(stream.read(stream.read(1)[0]) if kind == 3 else stream.read(4))
        stream.read(2)
        server = socket.create_connection(("127.0.0.1", self.to))
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        threading.Thread(target=self.pass_on, args=(server, client), daemon=True).start()
        self.pass_on(client, server)

    @staticmethod
    def pass_on(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Tunnel(threading.Thread):
    """A proxy that knows CONNECT alone, wants a login where one is given, and notes every byte it passes
    on. routes: HOST:PORT as it is asked for, and the port here."""

    def __init__(self, routes, login=None, context=None):
        super().__init__(daemon=True)
        self.context = context
        self.listener, self.routes, self.login = socket.create_server(("127.0.0.1", 0)), routes, login
        self.port = self.listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.heads, self.passed = [], []
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        try:
            client = self.context.wrap_socket(client, server_side=True) if self.context else client
            while data := client.recv(65536):
                head += data
                if b"\r\n\r\n" in head:
                    break
        except OSError:
            pass  # a client that does not like our certificate
        if b"\r\n\r\n" not in head:
            return client.close()
        self.heads.append(head.decode("latin-1"))
        lines = head.decode("latin-1").split("\r\n")
        method, where, _ = lines[0].split(" ")
        if method != "CONNECT" or where not in self.routes:
            client.sendall(b"HTTP/1.1 502 Not Here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif self.login and "Proxy-Authorization: " + self.login not in lines:
            client.sendall(b"HTTP/1.1 407 Who Are You\r\nProxy-Authenticate: Basic realm=x\r\n"
                           b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            self.join_up(client, self.routes[where])
        return client.close()

    def join_up(self, client, port):
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            other = {client: server, server: client}
            while True:
                for ready in select.select(list(other), [], [])[0]:
                    try:
                        data = ready.recv(65536)
                        other[ready].sendall(data)
                    except OSError:
                        return
                    if not data:
                        return
                    self.passed.append(data)

    def asked(self, where):
        return [h for h in self.heads if h.startswith("CONNECT %s " % where)]

    def saw(self, text):
        return text in "".join(self.heads) or text.encode() in b"".join(self.passed)


class Authority:
    """Certificates of our own, made by openssl in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.ca = self.path(name + ".pem")
        self.openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "30", "-subj", "/CN=" + name,
                     "-keyout", self.path(name + ".key"), "-out", self.ca)

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    def issue(self, name, *more, names=""):
        """A certificate for 127.0.0.1, localhost and names (",DNS:..."): paths of certificate and key."""
        base = "%s-%s" % (self.name, name)
        pem, key, request, extensions = (self.path(base + e) for e in (".pem", ".key", ".csr", ".ext"))
        with open(extensions, "w") as f:
            f.write("subjectAltName=IP:127.0.0.1,DNS:localhost%s\n" % names)
        self.openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-subj", "/CN=" + name,
                     "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.path(self.name + ".key"),
                     "-CAcreateserial", "-extfile", extensions, "-out", pem, *(more or ("-days", "30")))
        return pem, key


def tls(pem, key, client_ca=None, demanded=False):
    """client_ca: certificates of clients are looked at; demanded: nobody is let in without one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if demanded else ssl.CERT_OPTIONAL
    return context
