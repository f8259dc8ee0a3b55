"""Serves the files below $ISG_WWW with ETags, and one TAXII collection that takes pushes."""
import hashlib
import http.server
import json
import os
import sys
import threading

WWW = os.environ["ISG_WWW"]
MEDIA = "application/taxii+json;version=2.1"
CID = "00000000-0000-4000-8000-0000000000c1"
PUSHED = []
GETS = {}


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, status=200, media=MEDIA, etag=None, last=None):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        if last:
            self.send_header("X-TAXII-Date-Added-Last", last)
        self.end_headers()
        self.wfile.write(body)

    def json(self, value, **more):
        self.answer(json.dumps(value).encode(), **more)

    def do_GET(self):
        path = self.path.split("?")[0]
        GETS[path] = GETS.get(path, 0) + 1
        if path.startswith("/peer/"):
            return self.peer(path, self.path)
        if path == "/pushed":
            return self.json(PUSHED)
        if path == "/gets":
            return self.json(GETS)
        name = os.path.join(WWW, path.lstrip("/"))
        if not os.path.isfile(name):
            return self.answer(b"no", 404, "text/plain")
        with open(name, "rb") as f:
            body = f.read()
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == etag:
            return self.answer(b"", 304, etag=etag)
        self.answer(body, media="application/json", etag=etag)

    def peer(self, path, target):
        if path == "/peer/":
            return self.json({"title": "p", "versions": [MEDIA], "max_content_length": 100000})
        if path == "/peer/collections/":
            return self.json({"collections": [{"id": CID, "title": "shared", "can_read": True, "can_write": True}]})
        after = ""
        if "added_after=" in target:
            after = target.split("added_after=")[1].split("&")[0].replace("%3A", ":")
        things = [(i, "2031-01-01T00:00:%02d.000000Z" % i) for i in range(1, 6)]
        things = [(i, d) for i, d in things if d > after]
        objects = [{"type": "identity", "spec_version": "2.1",
                    "id": "identity--00000000-0000-4000-8000-%012d" % i,
                    "created": "2031-01-01T00:00:00.000Z", "modified": "2031-01-01T00:00:00.000Z",
                    "name": "Peer %d" % i} for i, _ in things]
        self.json({"objects": objects} if objects else {}, last=things[-1][1] if things else None)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        PUSHED.extend(body["objects"])
        n = len(body["objects"])
        self.json({"id": "00000000-0000-4000-8000-000000000001", "status": "complete", "total_count": n,
                   "success_count": n, "failure_count": 0, "pending_count": 0}, status=202)


SERVER = Server(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
print(SERVER.server_address[1], SERVER.server_address[1], sep="\n", flush=True)
sys.stdin.read()
