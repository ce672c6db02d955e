"""A cache of downloaded files: each is fetched once, resumed after an interruption, and seen by others only when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stackengine.hosts.guest_image.ingredients import ImageError

CHUNK = 1 << 20
TIMEOUT = 60.0
"""Seconds without a byte after which a server counts as silent."""
_LENGTHS = {64: "sha256", 96: "sha384", 128: "sha512", 40: "sha1"}


def nothing() -> None:
    """The check of a caller that is never cancelled."""


def _key(url: str) -> str:
    """The name of a URL's files in the cache."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file in the cache."""

    url: str
    sha256: str
    length: int
    """Bytes."""
    verified: str = ""
    """The checksum that it was compared with, ``ALGORITHM:HEX``; empty when none was known."""


class Downloads:
    """The cache in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, url: str, expected: Callable[[], str], check: Callable[[], None] = nothing) -> tuple[Path, Fetched]:
        """The file behind ``url``, from the cache or fetched now.

        ``expected`` is called only before a download and gives its checksum (``ALGORITHM:HEX``, or nothing when it is not known).
        ``check`` is called while waiting and may raise. :class:`ImageError` for what cannot be fetched and for a wrong checksum, which
        leaves nothing behind.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        key = _key(url)
        with _locked(self._folder / f"{key}.lock", check):
            found = self._found(key)
            if not found:
                found = self._fetch(url, key, expected(), check)
            return self._folder / key, found

    def held(self, url: str) -> Fetched | None:
        """What is in the cache of ``url``; nothing is fetched."""
        return self._found(_key(url))

    def forget(self, url: str) -> None:
        """Remove what was fetched from ``url``; the next :meth:`get` fetches again."""
        key = _key(url)
        with _locked(self._folder / f"{key}.lock", nothing):
            for name in (f"{key}.json", key):
                (self._folder / name).unlink(missing_ok=True)
            _discard(self._folder / f"{key}.part")

    def _found(self, key: str) -> Fetched | None:
        try:
            found = Fetched(**json.loads((self._folder / f"{key}.json").read_text()))
            whole = (self._folder / key).stat().st_size == found.length
        except (OSError, ValueError, TypeError):
            return None
        return found if whole else None

    def _fetch(self, url: str, key: str, expected: str, check: Callable[[], None]) -> Fetched:
        part = self._folder / f"{key}.part"
        download(url, part, check)
        sha256, seen = digests(part, expected, check)
        if expected and seen != expected.lower():
            _discard(part)
            raise ImageError(
                f"wrong checksum of {url}: expected {expected.lower()}, got {seen}",
                hint="the file was changed or damaged on its way; try again, or correct the checksum",
            )
        fetched = Fetched(url, sha256, part.stat().st_size, expected.lower())
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(self._folder / key)
        _discard(part)
        record = self._folder / f"{key}.json.part"
        record.write_text(json.dumps(asdict(fetched)))
        record.rename(self._folder / f"{key}.json")
        return fetched


def download(url: str, part: Path, check: Callable[[], None], tries: int = 4) -> None:
    """Fetch ``url`` into ``part``, going on where an earlier attempt stopped; :class:`ImageError` when it cannot be had."""
    for attempt in range(1, tries + 1):
        try:
            _transfer(url, part, check)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416 and part.exists():  # what is there is not a part of what is offered now
                _discard(part)
            elif error.code < 500 or attempt == tries:
                raise ImageError(f"cannot fetch {url}: HTTP {error.code} {error.reason}", hint="look at the address in a browser") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == tries:
                raise ImageError(f"cannot fetch {url}: {error}", hint="is there a network? http_proxy and https_proxy are honoured") from error
        check()
        time.sleep(min(0.5 * 2**attempt, 5))


def text(url: str, limit: int = 1 << 20) -> str:
    """A small text file, at most ``limit`` bytes of it; :class:`ImageError` when it cannot be had."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "stackengine"}), timeout=TIMEOUT) as answer:
            return bytes(answer.read(limit)).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise ImageError(f"cannot fetch {url}: {error}", hint="is there a network? http_proxy and https_proxy are honoured") from error


def _transfer(url: str, part: Path, check: Callable[[], None]) -> None:
    tag = part.with_suffix(".tag")  # what the server called the version that the part is of
    have = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"User-Agent": "stackengine"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer, part.open("ab") as file:
        if answer.status != 206:
            file.truncate(0)
            have = 0
            _remember(tag, answer)
        wanted = _whole_length(answer, have)
        while chunk := answer.read(CHUNK):
            check()
            file.write(chunk)
    if wanted is not None and part.stat().st_size < wanted:
        raise ConnectionError(f"the connection broke after {part.stat().st_size} of {wanted} bytes")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_suffix(".tag").unlink(missing_ok=True)


def _remember(tag: Path, answer: Any) -> None:
    """Keep the validator that allows to resume; a weak ETag does not."""
    validator = answer.headers.get("ETag") or ""
    if not validator or validator.startswith("W/"):
        validator = answer.headers.get("Last-Modified") or ""
    if validator:
        tag.write_text(validator)
    else:
        tag.unlink(missing_ok=True)


def _whole_length(answer: Any, have: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return have + int(length) if length and length.isdigit() else None


def digests(path: Path, expected: str = "", check: Callable[[], None] = nothing) -> tuple[str, str]:
    """The sha256 of a file, and its checksum by the algorithm of ``expected`` as ``ALGORITHM:HEX``."""
    algorithm = expected.partition(":")[0].lower() or "sha256"
    plain, other = hashlib.sha256(), hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            check()
            plain.update(chunk)
            if algorithm != "sha256":
                other.update(chunk)
    sha256 = plain.hexdigest()
    return sha256, f"{algorithm}:{sha256 if algorithm == 'sha256' else other.hexdigest()}"


def normal_checksum(text: str) -> str:
    """``ALGORITHM:HEX`` in lower case; a bare number's algorithm is told by its length. :class:`ImageError` when it is neither."""
    algorithm, _, number = text.strip().lower().rpartition(":")
    algorithm = algorithm or _LENGTHS.get(len(number), "")
    if not re.fullmatch(r"[0-9a-f]+", number) or _LENGTHS.get(len(number)) != algorithm:
        raise ImageError(f"not a checksum: {text}", hint="sha256:HEX, or sha512:HEX")
    return f"{algorithm}:{number}"


def published_checksum(listing: str, name: str) -> str:
    """The checksum of file ``name`` in a list as ``sha256sum`` writes it, plain or ``--tag``; empty when it is not listed."""
    for line in listing.splitlines():
        tagged = re.match(r"(SHA\d+) \((.+)\) = ([0-9a-fA-F]+)$", line.strip())
        if tagged and tagged.group(2) == name:
            return normal_checksum(f"{tagged.group(1)}:{tagged.group(3)}")
        plain = re.match(r"([0-9a-fA-F]{64,128}) [ *]?(?:\./)?(.+)$", line.strip())
        if plain and plain.group(2) == name:
            return normal_checksum(plain.group(1))
    return ""


@contextmanager
def _locked(path: Path, check: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file ``path``; the kernel lets go of it when the process dies."""
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                check()
                time.sleep(0.1)
        yield
