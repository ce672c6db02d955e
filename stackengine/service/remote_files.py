"""Files of other machines that a template names: imports, ``get_file``, includes, nested templates. Fetched only where ``allow.urls`` lets them be.

What comes from elsewhere can name what lies beside it there, and nothing of this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackengine.formats import Reader
    from stackengine.model.allowed import Allowed


class RemoteReader:
    """A Reader that reads what is on this machine with ``local``, and fetches the rest; each file once."""

    def __init__(self, local: Reader, allowed: Allowed) -> None:
        self._local, self._allowed = local, allowed
        self._fetched: dict[str, str] = {}

    def names(self) -> list[str]:
        """Files of this machine, where ``local`` knows them."""
        listing = getattr(self._local, "names", None)
        return list(listing()) if listing is not None else []

    def reaches(self, name: str) -> bool:
        """Whether a name is an address that may be asked."""
        return is_remote(name) and self._allowed.may_call(name.partition("#")[0])

    def read(self, name: str, relative_to: str) -> str:
        """The text of a file; OSError or ValueError with the reason where it cannot be had."""
        if is_remote(relative_to):
            if name.startswith("file:"):
                raise ValueError(f"{relative_to} is from elsewhere, and names a file of this machine: {name}")
            from urllib.parse import urljoin

            name = urljoin(relative_to, name)
        if not is_remote(name):
            return self._local.read(name, relative_to)
        if name not in self._fetched:
            from stackengine.service.fetch import fetch  # brings sockets and TLS, which few templates need

            try:
                self._fetched[name] = fetch(name, self._allowed).decode("utf-8")
            except UnicodeDecodeError:
                raise ValueError(f"{name} is not UTF-8 text") from None
        return self._fetched[name]


def is_remote(name: str) -> bool:
    """Whether a name is a web address."""
    return name.lower().startswith(("http://", "https://"))
