"""The name of a stack whose user gave none.

It is the template's file name without endings (``lamp.hot.yaml`` gives ``lamp``). A file name that says nothing (``stack``,
``template``, ``main``, ``index``, ``heat``, ``cfn``, ``service``, or a language's name) gives way to the name of its folder, and so on
upwards: ``templates/three-tier/hot/stack.yaml`` gives ``three-tier``. Characters that a name cannot have become ``-``.
"""

from __future__ import annotations

import re
from pathlib import Path

from stackengine.cli.errors import UsageError

_SAYS_NOTHING = frozenset(
    ("stack", "template", "templates", "main", "index", "service", "hot", "heat", "cfn", "cloudformation", "aws", "tosca", "openstack", "definitions")
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}")


def stack_name(template: Path, given: str | None = None) -> str:
    """The name that was given, or the one that the template's place suggests; raises UsageError where there is none."""
    if given is not None:
        if not _NAME.fullmatch(given):
            raise UsageError(f"'{given}' cannot be a stack's name", hint="a letter, then up to 62 of letters, digits, '.', '_', '-'")
        return given
    for word in (template.name, *(p.name for p in template.absolute().parents)):
        name = _clean(word.split(".", 1)[0] if word == template.name else word)
        if name and name.lower() not in _SAYS_NOTHING:
            return name
    raise UsageError(f"{template}: its place suggests no name for the stack", hint="say --name NAME")


def _clean(word: str) -> str:
    """``word`` with what a name cannot have replaced; empty where nothing is left."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", word).lstrip("0123456789_-").rstrip("-")[:63]
