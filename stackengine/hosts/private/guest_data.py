"""What the metadata service answers: a guest's files as a tree, listings of its folders, and the tokens of EC2's second version.

A guest's entry is ``{"macs": {mac: [address, …]}, "tokens": "optional" | "required", "files": {path: text}}``; paths are below ``latest`` of EC2's
tree, or below ``openstack/latest``. Every date that a reader knows shows the same files (Nova's and EC2's versions only ever added to them).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

Entry = Mapping[str, Any]
EC2_VERSIONS = (
    *("1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01"),
    *("2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24"),
    *("2019-10-01", "2020-08-24", "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "latest"),
)
OPENSTACK_VERSIONS = ("2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27", "latest")
MAX_SECONDS = 21600
"""The longest life of a token (EC2 user guide, IMDSv2)."""


def answer(files: Mapping[str, str], path: str) -> str | None:
    """The text at a path, or the listing of a folder; None where there is nothing."""
    parts = [p for p in path.split("/") if p]
    openstack = parts[:1] == ["openstack"]
    if openstack:
        parts = parts[1:]
    versions = OPENSTACK_VERSIONS if openstack else EC2_VERSIONS
    if not parts:
        return "\n".join(versions)
    if parts[0] not in versions:
        return None
    base = "openstack/latest" if openstack else "latest"
    place = "/".join([base, *parts[1:]])
    if place in files:
        return files[place]
    return files.get(f"{place}/") or _listing(files, f"{place}/")


def _listing(files: Mapping[str, str], folder: str) -> str | None:
    """Names in a folder; below ``meta-data`` those of folders end with a slash, as EC2 has it."""
    found = {}
    for name in (n.removeprefix(folder) for n in files if n.startswith(folder) and n != folder):
        first, deeper, _ = name.partition("/")
        found[first] = bool(deeper)
    slash = folder.startswith("latest/meta-data/")
    return "\n".join(f"{n}/" if deeper and slash else n for n, deeper in sorted(found.items())) or None


class Tokens:
    """EC2's session tokens: each is of one guest and for a time, and nothing is kept of it here."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def made(self, guest: str, seconds: int, now: float) -> str:
        """A token of a guest that lives for ``seconds``."""
        end = int(now) + seconds
        return f"{end:x}-{self._sign(guest, end)}"

    def holds(self, guest: str, token: str, now: float) -> bool:
        """Whether a token is this guest's and lives."""
        end, _, sign = token.partition("-")
        try:
            moment = int(end, 16)
        except ValueError:
            return False
        return moment >= now and hmac.compare_digest(sign.encode(), self._sign(guest, moment).encode())

    def _sign(self, guest: str, end: int) -> str:
        return hmac.new(self._key, f"{guest}:{end}".encode(), hashlib.sha256).hexdigest()[:40]


def guest_at(address: str, seen: Iterable[tuple[str, bool]], entries: Mapping[str, Entry]) -> str:
    """The guest that asks, or nothing: the one whose interface has the MAC that answers for ``address``, is allowed to have it, and sits at the port of
    the bridge where that MAC was seen.

    ``seen``: (MAC, whether it was seen at its own port) of the neighbours with that address.
    """
    found = set()
    for mac, own_port in seen:
        for guest, entry in entries.items():
            addresses = entry["macs"].get(mac)
            if own_port and addresses is not None and (not addresses or address in addresses):
                found.add(guest)
    return found.pop() if len(found) == 1 else ""
