"""A web server on loopback for tests of downloads: ranges, versions, connections that break, and what it was asked."""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Web:
    """``files`` by path; ``moved``: where a path is found now; ``breaks``: bytes after which the next answers end;
    ``asked``: (path, the headers that matter).
    """

    def __init__(self, port: int, scheme: str) -> None:
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.breaks: list[int] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.base = f"{scheme}://127.0.0.1:{port}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self) -> None:
        headers = {k: v for k in ("Range", "If-Range", "If-None-Match") if (v := self.headers.get(k))}
        self.web.asked.append((self.path, headers))
        if self.path in self.web.moved:
            self.send_response(302)
            self.send_header("Location", self.web.moved[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = self.web.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        tag = f'"{hashlib.sha256(data).hexdigest()[:12]}"'
        if headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return
        ranged = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        start = int(ranged.group(1)) if ranged and headers.get("If-Range") == tag else 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = self.web.breaks.pop(0) if self.web.breaks else len(data)
        self.wfile.write(data[start:end])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[Web]:
    """A server that runs; with a certificate (and its key in the same file) it speaks TLS."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    handler.web = web = Web(server.server_address[1], "https" if certificate else "http")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    file = folder / "server.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-keyout", str(file), "-out", str(folder / "cert.pem")]
    subprocess.run([*words, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    file.write_text(file.read_text() + (folder / "cert.pem").read_text())
    return file
