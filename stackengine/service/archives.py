"""TOSCA archives (CSAR) that are named by a web address: fetched where the machine's owner allows it, and kept in the user's cache by their content."""

from __future__ import annotations

import hashlib
import os
import posixpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stackengine.formats.detect import is_archive
from stackengine.hosts.runtime import write_whole
from stackengine.service.owner import allowed
from stackengine.service.types import ServiceError


def fetched(address: str) -> Path:
    """The archive behind a web address (``#sha256=…`` at its end is what it must be), as a file of this machine; ServiceError says why it cannot be had."""
    from stackengine.service.fetch import fetch  # brings sockets and TLS

    try:
        data = fetch(address, allowed())
    except (OSError, ValueError) as error:
        hint = "whoever owns this machine allows addresses in owner.yaml (allow: {urls: […]}); or fetch it, and name the file"
        raise ServiceError(f"{address}: {error}", hint=hint) from None
    if not is_archive(data):
        raise ServiceError(f"{address} is no archive", hint="only archives (CSAR) are taken from an address: a template names files beside it", exit_code=2)
    name = posixpath.basename(unquote(urlsplit(address).path)).lstrip(".") or "archive.csar"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stackengine" / "archives"
    path = base / hashlib.sha256(data).hexdigest()[:16] / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    return path
