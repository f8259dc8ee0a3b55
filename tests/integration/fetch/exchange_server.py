"""A server that misbehaves by path; a second one notes what it was sent."""
import gzip
import http.server
import json
import sys
import threading
import time

SEEN = []


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # clients that hang up are the point


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def redirect(self, to):
        self.answer(b"", 302, Location=to)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        facts = {"method": self.command, "length": len(body), "expect": self.headers.get("Expect"),
                 "chunked": self.headers.get("Transfer-Encoding"), "type": self.headers.get("Content-Type")}
        self.answer(json.dumps(facts).encode(), 202)

    def do_GET(self):
        path = self.path
        SEEN.append((self.server.name, path, dict(self.headers)))
        plain = getattr(self, "at_" + path.strip("/").split("/")[0].split("?")[0], None)
        if plain is None:
            self.answer(b"nothing", 404)
        else:
            plain()

    def at_json(self):
        self.answer(b'{"a":1}', Content_Type="application/json")

    def at_agent(self):
        self.answer(self.headers.get("User-Agent", "").encode())

    def at_seen(self):
        """All the header values that the other server was sent."""
        other = [h for name, _, h in SEEN if name == "other"]
        self.answer(json.dumps(other).encode())

    def at_etag(self):
        if self.headers.get("If-None-Match") == '"v1"':
            self.answer(b"", 304)
        else:
            self.answer(b"fresh", ETag='"v1"', Last_Modified="Wed, 01 Jan 2031 00:00:00 GMT")

    def at_since(self):
        if self.headers.get("If-Modified-Since") == "Wed, 01 Jan 2031 00:00:00 GMT":
            self.answer(b"", 304)
        else:
            self.answer(b"fresh")

    def at_busy(self):
        self.answer(b"", 429, Retry_After="17")

    def at_html(self):
        self.answer(b"<!doctype html><p>login", Content_Type="text/html")

    def at_gzip(self):
        self.answer(gzip.compress(b"x" * 5000), Content_Encoding="gzip")

    def at_bomb(self):
        self.answer(gzip.compress(b"\0" * (64 << 20)), Content_Encoding="gzip")

    def at_endless(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def at_huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(10 << 30))
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        self.close_connection = True

    def at_headers(self):
        self.send_response(200)
        try:
            for i in range(100000):
                self.send_header("X-%d" % i, "y" * 100)
            self.end_headers()
        except OSError:
            pass
        self.close_connection = True

    def at_slow(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.flush()
        try:
            for _ in range(100):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.5)
        except OSError:
            pass

    def at_stalled(self):  # the head, and nothing more until the client has gone
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.flush()
        self.rfile.read(1)
        self.close_connection = True

    def at_garbled(self):
        self.answer(b"no gzip", Content_Encoding="gzip")

    def at_foreign(self):
        self.answer(b"no brotli", Content_Encoding="br")

    def at_chunks(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n")
        self.close_connection = True

    def at_continued(self):
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n")
        self.close_connection = True

    def at_short(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"cut")
        self.close_connection = True

    def at_near(self):
        self.redirect("/json")

    def at_loop(self):
        self.redirect("/loop")

    def at_far(self):
        self.redirect("http://127.0.0.1:%d/json" % OTHER.server_address[1])

    def at_back(self):
        """Away, and back again: secrets lost on the way do not come back."""
        if self.server.name == "main":
            self.redirect("http://127.0.0.1:%d/back" % OTHER.server_address[1])
        else:
            self.redirect("http://127.0.0.1:%d/echo" % MAIN.server_address[1])

    def at_echo(self):
        self.answer(json.dumps({k.lower(): v for k, v in self.headers.items()}).encode())

    def at_file(self):
        self.redirect("file:///etc/passwd")

    def at_gopher(self):
        self.redirect("gopher://127.0.0.1/")

    def at_upgrade(self):
        self.redirect("https://127.0.0.1:%d/json" % MAIN.server_address[1])

    def at_user(self):
        self.redirect("http://user:word@127.0.0.1:%d/json" % MAIN.server_address[1])

    def at_broken(self):
        self.wfile.write(b"nonsense\r\n\r\n")
        self.close_connection = True


def server(name):
    s = Server(("127.0.0.1", 0), Handler)
    s.daemon_threads = True
    s.name = name
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


MAIN = server("main")
OTHER = server("other")
print(MAIN.server_address[1], OTHER.server_address[1], sep="\n", flush=True)
sys.stdin.read()
