"""Fetches a file over HTTP or HTTPS, within limits, from addresses that the owner of this machine allows (``allow.urls``)."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from stackengine.hosts import calling
from stackengine.service.remote_files import is_remote

if TYPE_CHECKING:
    from stackengine.model.allowed import Allowed

MAX_BYTES = 8 << 20
"""Of one file."""
SILENCE, DEADLINE = 20.0, 60.0
"""Seconds without a byte, and for a whole file."""
REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)


def fetch(address: str, allowed: Allowed) -> bytes:
    """What is behind a web address; ``#sha256=…`` at its end is what it must be. OSError or ValueError says why it cannot be had."""
    url, _, pin = address.partition("#")
    algorithm, _, wanted = pin.partition("=")
    if pin and (algorithm != "sha256" or len(wanted) != 64):
        raise ValueError(f"{address}: what must be behind an address is said as #sha256= and 64 hexadecimal digits")
    found = _followed(url, allowed)
    seen = hashlib.sha256(found).hexdigest()
    if wanted and seen != wanted.lower():
        raise ValueError(f"{url} is not what was asked for: its SHA-256 is {seen}")
    return found


def _followed(url: str, allowed: Allowed) -> bytes:
    """The answer, over redirections; each address must be allowed itself."""
    end = time.monotonic() + DEADLINE
    for _ in range(REDIRECTS + 1):
        parts = _checked(url, allowed)
        status, moved, body = _asked(url, parts, allowed, end)
        if status == 200:
            return body
        if status not in _MOVED or not moved:
            raise ValueError(f"{url} answers {status} {http.client.responses.get(status, '')}".rstrip())
        new = urljoin(url, moved)
        if parts.scheme == "https" and not new.startswith("https://"):
            raise ValueError(f"{url} leads to {new}, which is not encrypted")
        url = new
    raise ValueError(f"{url}: more than {REDIRECTS} redirections")


def _checked(url: str, allowed: Allowed) -> SplitResult:
    parts = urlsplit(url)
    if not is_remote(url) or not parts.hostname or parts.username is not None or any(ord(c) <= 32 for c in url):
        raise ValueError(f"{url} is no plain web address")
    if ".." in unquote(parts.path).replace("\\", "/").split("/"):
        raise ValueError(f"{url} has '..' in it")
    if not allowed.may_call(url):
        raise ValueError(f"{url} is on another machine, and this machine's owner does not allow its address")
    return parts


def _asked(url: str, parts: SplitResult, allowed: Allowed, end: float) -> tuple[int, str, bytes]:
    """(status, where it was moved to, body); the connection goes to the address that was looked at: a public one, or any of a place that the owner named."""
    host, port = calling.place(url)
    try:
        plain = calling.connect(host, port, SILENCE, calling.places(allowed.urls))
    except calling.PrivateAddressError as error:
        raise ValueError(f"{url}: {error}, and no allowed address names it") from None
    try:
        carrier = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else plain
        connection = http.client.HTTPConnection(host, port, timeout=SILENCE)
        connection.sock = carrier
        try:
            target = parts.path or "/"
            connection.request("GET", f"{target}?{parts.query}" if parts.query else target, headers={"Host": parts.netloc, "Accept-Encoding": "identity"})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location") or "", _body(answer, url, end) if answer.status == 200 else b""
        finally:
            connection.close()
    except http.client.HTTPException as error:
        raise ValueError(f"{url}: {error or type(error).__name__}") from None
    finally:
        plain.close()


def _body(answer: http.client.HTTPResponse, url: str, end: float) -> bytes:
    found = bytearray()
    while chunk := answer.read1(1 << 16):
        found += chunk
        if len(found) > MAX_BYTES:
            raise ValueError(f"{url} is larger than {MAX_BYTES >> 20} MiB")
        if time.monotonic() > end:
            raise ValueError(f"{url} takes longer than {DEADLINE:.0f} s")
    return bytes(found)
