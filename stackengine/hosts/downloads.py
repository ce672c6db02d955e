"""A cache of downloaded files: each is fetched once, resumed after an interruption, and seen by others only when it is whole.

Content stands under its own checksum, and an address remembers which content it had: what an address shows today takes nothing away from who
stands on what it showed before.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stackengine import locks
from stackengine.hosts import calling
from stackengine.hosts.guest_image.ingredients import ImageError
from stackengine.hosts.ways import Ways

__all__ = ["Downloads", "Fetched", "Ways", "digests", "download", "normal_checksum", "nothing", "published_checksum"]

CHUNK = 1 << 20
TIMEOUT = 60.0
"""Seconds without a byte after which a server counts as silent."""
PAUSE = 0.5
"""Seconds before the second attempt, doubled for each that follows."""
ABANDONED = 86_400.0
"""Seconds after which a part counts as given up."""
_AGENT = {"User-Agent": "stackengine"}
_UNREACHED = "is there a network? http_proxy and https_proxy are honoured, and what owner.yaml says of proxy, CA and mirrors"
_LENGTHS = {64: "sha256", 96: "sha384", 128: "sha512", 40: "sha1"}


def nothing() -> None:
    """The check of a caller that is never cancelled."""


def _key(url: str) -> str:
    """The name of an address's record in the cache."""
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
    validator: str = ""
    """What the server called this version (a strong ETag, or the date of its last change)."""


class Downloads:
    """The cache in ``folder``."""

    def __init__(self, folder: Path, ways: Ways | None = None, said: Callable[[], Iterable[str]] = tuple) -> None:
        """``said``: URLs that people named on this machine, whose places may be at private addresses."""
        self._folder, self.ways, self._said = folder, ways or Ways(), said

    def _opener(self) -> urllib.request.OpenerDirector:
        return self.ways.opener(calling.places(self._said()))

    def get(
        self, url: str, expected: Callable[[], str], check: Callable[[], None] = nothing, *, sha256: str = "", newest: bool = False
    ) -> tuple[Path, Fetched]:
        """The file behind ``url``, from the cache or fetched now; content with the checksum ``sha256`` is taken from the cache whatever its address was.

        ``expected`` is called only before a download and gives its checksum (``ALGORITHM:HEX``, or nothing when it is not known).
        ``newest``: the server is asked whether it has another version. ``check`` is called while waiting and may raise.
        :class:`ImageError` for what cannot be fetched and for a wrong checksum, which leaves nothing behind.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        key = _key(url)
        with locks.alone(self._folder / f"{key}.lock", check):
            pinned = self._content(sha256)
            if sha256 and pinned.is_file():
                return pinned, Fetched(url, sha256, pinned.stat().st_size, f"sha256:{sha256}")
            found = self._found(key)
            if found is None or newest or (sha256 and found.sha256 != sha256):
                found = self._fetch(url, key, expected, check, found if newest else None)
            return self._content(found.sha256), found

    def held(self, url: str) -> Fetched | None:
        """What is in the cache of ``url``; nothing is fetched."""
        return self._found(_key(url))

    def all(self) -> list[Fetched]:
        """Every address of which there is something in the cache."""
        found = (self._found(record.stem) for record in self._folder.glob("*.json"))
        return sorted((f for f in found if f is not None), key=lambda f: f.url)

    def forget(self, url: str) -> int:
        """Remove what was fetched from ``url``, and its content where no other address has it; the bytes that are free now."""
        key, found = _key(url), self.held(url)
        self._folder.mkdir(parents=True, exist_ok=True)
        with locks.alone(self._folder / f"{key}.lock"):
            (self._folder / f"{key}.json").unlink(missing_ok=True)
            _discard(self._folder / f"{key}.part")
        return self.sweep({f.sha256 for f in self.all()}, only={found.sha256}) if found else 0

    def sweep(self, keep: Collection[str], only: Collection[str] | None = None, *, pretend: bool = False) -> int:
        """Remove content whose checksum is not in ``keep`` (of ``only``, where given), records of it, and parts that nobody fetches on; bytes."""
        bytes_ = 0
        for content in sorted(self._folder.glob("sha256-*")):
            sha256 = content.name.removeprefix("sha256-")
            if sha256 not in keep and (only is None or sha256 in only):
                bytes_ += content.stat().st_size
                if not pretend:
                    content.unlink(missing_ok=True)
        for part in self._folder.glob("*.part") if only is None else ():
            if time.time() - part.stat().st_mtime > ABANDONED:
                bytes_ += part.stat().st_size
                if not pretend:
                    _discard(part)
        return bytes_

    def text(self, url: str, limit: int = 1 << 20) -> str:
        """A small text file, at most ``limit`` bytes of it; :class:`ImageError` when it cannot be had."""
        places = self.ways.places(url)
        for place in places:
            try:
                with self._opener().open(urllib.request.Request(place, headers=dict(_AGENT)), timeout=TIMEOUT) as answer:
                    return bytes(answer.read(limit)).decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                if place == places[-1]:
                    raise ImageError(f"cannot fetch {place}: {error}", hint=_UNREACHED) from error
            except ImageError:
                if place == places[-1]:
                    raise
        raise AssertionError("there is always one place")

    def _content(self, sha256: str) -> Path:
        return self._folder / f"sha256-{sha256}"

    def _found(self, key: str) -> Fetched | None:
        try:
            found = Fetched(**json.loads((self._folder / f"{key}.json").read_text()))
            whole = self._content(found.sha256).stat().st_size == found.length
        except (OSError, ValueError, TypeError):
            return None
        return found if whole else None

    def _fetch(self, url: str, key: str, expected: Callable[[], str], check: Callable[[], None], known: Fetched | None) -> Fetched:
        """Fetch it; ``known`` when the server says that this is its version still."""
        part, wanted = self._folder / f"{key}.part", expected()
        if known is not None and wanted and wanted.lower() == known.verified:
            return known
        validator = self._download(url, part, check, known.validator if known else "")
        if validator is None and known is not None:
            return known
        sha256, seen = digests(part, wanted, check)
        if wanted and seen != wanted.lower():
            _discard(part)
            raise ImageError(
                f"wrong checksum of {url}: expected {wanted.lower()}, got {seen}",
                hint="it was damaged on its way, or the address shows another file now: correct the checksum, or take what is newest with --upgrade-images",
            )
        fetched = Fetched(url, sha256, part.stat().st_size, wanted.lower(), validator or "")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(self._content(sha256))
        _discard(part)
        record = self._folder / f"{key}.record"
        record.write_text(json.dumps(asdict(fetched)))
        record.rename(self._folder / f"{key}.json")
        return fetched

    def _download(self, url: str, part: Path, check: Callable[[], None], known: str) -> str | None:
        """The validator of what is in ``part`` now; None when the server still has the version that is ``known``."""
        places = self.ways.places(url)
        for place in places:
            try:
                return download(self._opener(), place, part, check, known=known)
            except ImageError:
                if place == places[-1]:
                    raise
        return None


def download(opener: urllib.request.OpenerDirector, url: str, part: Path, check: Callable[[], None], *, known: str = "", tries: int = 4) -> str | None:
    """Fetch ``url`` into ``part``, going on where an earlier attempt stopped; :class:`ImageError` when it cannot be had.

    Gives the version's validator (empty: the server names none), None when the server still has the version that is ``known``.
    """
    for attempt in range(1, tries + 1):
        try:
            return _transfer(opener, url, part, check, known)
        except urllib.error.HTTPError as error:
            if error.code == 304 and known:
                return None
            if error.code == 416 and part.exists():  # what is there is not a part of what is offered now
                _discard(part)
            elif error.code < 500 or attempt == tries:
                raise ImageError(f"cannot fetch {url}: HTTP {error.code} {error.reason}", hint="look at the address in a browser") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == tries:
                raise ImageError(f"cannot fetch {url}: {error}", hint=_UNREACHED) from error
        check()
        time.sleep(min(PAUSE * 2**attempt, 5))
    return None


def _transfer(opener: urllib.request.OpenerDirector, url: str, part: Path, check: Callable[[], None], known: str) -> str:
    tag = part.with_suffix(".tag")  # what the server called the version that the part is of
    have = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = dict(_AGENT)
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text()}
    elif known:
        headers["If-None-Match" if known.startswith('"') else "If-Modified-Since"] = known
    with opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer, part.open("ab") as file:
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
    return tag.read_text() if tag.exists() else ""


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
