"""How this machine reaches others for images: over which proxy and mirrors, with which certificates, and at which addresses at all."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from stackengine.hosts import calling
from stackengine.hosts.guest_image.ingredients import ImageError

REFUSED = "who owns this machine can name it: allow.urls or downloads.mirrors in owner.yaml, or stack-run images add NAME URL"
Connection = http.client.HTTPConnection
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ways:
    """What the machine's owner says of it (``downloads`` in ``owner.yaml``)."""

    proxy: str = ""
    """URL of a proxy for http and https; empty: what ``http_proxy`` and ``https_proxy`` say. ``no_proxy`` counts in both cases."""
    ca: str = ""
    """A file with certificates that are trusted besides the system's."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    """Beginning of an address -> what stands in its place; where the mirror does not have a file, its own address is asked."""
    named: frozenset[calling.Place] = frozenset()
    """Places that the owner named (``allow.urls``): they, mirrors and proxies may be at private addresses."""

    def places(self, url: str) -> list[str]:
        """The addresses to ask in turn; of several mirrors the one that says most."""
        known = sorted((b for b in self.mirrors if url.startswith(b)), key=len)
        return [self.mirrors[known[-1]] + url.removeprefix(known[-1]), url] if known else [url]

    def opener(self, also: frozenset[calling.Place] = frozenset()) -> urllib.request.OpenerDirector:
        """What opens http and https addresses, and nothing else; ``also``: more places that somebody named here.

        It raises :class:`ImageError` for a private address that nobody named, also where a redirection leads there.
        """
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else urllib.request.getproxies()
        named = self.named | also | calling.places(self.mirrors.values()) | {p for v in proxies.values() for p in _proxy_places(v)}
        context = ssl.create_default_context()
        if self.ca:
            try:
                context.load_verify_locations(self.ca)
            except OSError as error:  # ssl.SSLError is one
                raise ImageError(f"the certificates in {self.ca} cannot be read: {error}", hint="downloads.ca in owner.yaml") from error
        opener = urllib.request.OpenerDirector()
        handlers: tuple[urllib.request.BaseHandler, ...] = (
            urllib.request.ProxyHandler(proxies), urllib.request.UnknownHandler(), _Http(named), _Https(named, context),
            urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPRedirectHandler(), urllib.request.HTTPErrorProcessor(),
        )  # fmt: skip
        for handler in handlers:
            opener.add_handler(handler)
        return opener


class _Looked(urllib.request.AbstractHTTPHandler):
    """Opens connections to addresses that were looked at."""

    def __init__(self, named: Collection[calling.Place]) -> None:
        super().__init__()
        self._named = named

    def _open(self, request: urllib.request.Request, connection: Callable[..., Connection]) -> Any:
        """Behind a proxy names are the proxy's to look up: only what is an address of its own is looked at."""
        if request.has_proxy() or getattr(request, "_tunnel_host", None):
            self._looked(request.full_url, lambda: calling.addresses(*calling.place(request.full_url), self._named, resolve=False))

        def dial(at: calling.Place, timeout: float, _source: object = None) -> socket.socket:
            return self._looked(request.full_url, lambda: calling.connect(*at, timeout, self._named))

        def make(host: str, timeout: float) -> Connection:
            made = connection(host, timeout=timeout)
            made._create_connection = dial  # type: ignore[attr-defined]  # what http.client connects with
            return made

        return self.do_open(make, request)  # type: ignore[arg-type]

    @staticmethod
    def _looked(url: str, look: Callable[[], T]) -> T:
        try:
            return look()
        except calling.PrivateAddressError as error:
            raise ImageError(f"{url} is not fetched: {error}", hint=REFUSED) from None


class _Http(_Looked):
    def http_open(self, request: urllib.request.Request) -> Any:
        """Open an http URL."""
        return self._open(request, http.client.HTTPConnection)

    http_request = urllib.request.AbstractHTTPHandler.do_request_


class _Https(_Looked):
    def __init__(self, named: Collection[calling.Place], context: ssl.SSLContext) -> None:
        super().__init__(named)
        self._context = context

    def https_open(self, request: urllib.request.Request) -> Any:
        """Open an https URL."""
        return self._open(request, lambda host, timeout: http.client.HTTPSConnection(host, timeout=timeout, context=self._context))

    https_request = urllib.request.AbstractHTTPHandler.do_request_


def _proxy_places(proxy: str) -> list[calling.Place]:
    """``http_proxy`` may leave out the scheme, and the port: then it is that of what is asked for."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return [(parts.hostname or "", p) for p in ([parts.port] if parts.port else [80, 443])]
