"""What names of hosts that this engine keeps may be: they name files and folders, too."""

from __future__ import annotations

import re

from stackengine.sdk import HostError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def check_name(name: str) -> None:
    """HostError where ``name`` is none."""
    if not _NAME.fullmatch(name):
        raise HostError(f"{name!r} is no name of a host", hint="up to 63 letters, digits, '.', '_' and '-', a letter or digit first and last")
