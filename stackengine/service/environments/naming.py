"""Names of branch environments: a DNS label that people can read, another one for every repository and branch."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

LIMIT = 40
"""Characters of a name: a DNS label has 63 (RFC 1035), and host names of guests and sockets of a private host are made of it."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def environment_name(repository: str, branch: str) -> str:
    """``REPO-BRANCH-HASH``; the hash is of both as they are, so that ``feature/x``, ``feature-x`` and ``Feature_X`` differ."""
    digest = hashlib.sha256(f"{repository}\0{branch}".encode("utf-8", "surrogateescape")).digest()
    mark = "".join(_ALPHABET[b & 31] for b in digest[:6])
    room = LIMIT - len(mark) - 1
    project = _words(re.split(r"[/:]", repository.rstrip("/"))[-1])[:14].strip("-")
    readable = "-".join(w for w in (project, _words(branch)) if w)[:room].strip("-")
    name = "-".join(w for w in (readable, mark) if w)
    return name if name[0].isalpha() else f"e{name[: LIMIT - 1]}"


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def repository_of(url: str) -> str:
    """A repository's name of its URL, the same for every way to it: ``host/path``, without user, password, port and ``.git``; a path stays one."""
    scp = re.fullmatch(r"(?:[^@/\s]+@)?([^:/\s]+):(?!//)(.+)", url)
    if scp and not url.startswith("/") and "://" not in url:
        host, path = scp.group(1), scp.group(2)
    elif "://" in url and not url.startswith("file://"):
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    else:
        return url.removeprefix("file://").rstrip("/").removesuffix("/.git").removesuffix(".git")
    return f"{host.lower()}/{path.strip('/').removesuffix('.git')}"


def without_password(url: str) -> str:
    """``url`` as it may be recorded: without the password or token that CI systems put into it."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    user, _, place = parts.netloc.rpartition("@")
    kept = user.partition(":")[0] if parts.scheme == "ssh" else ""
    return parts._replace(netloc=f"{kept}@{place}" if kept else place).geturl()
