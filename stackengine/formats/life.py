"""The life of a resource, said in the same words in all three languages: the mapping ``stackengine`` in a resource's metadata.

::

    metadata:
      stackengine:
        protect: true                 # nothing deletes or replaces it; stays when this block goes away
        replace: never                # a change that needs a new object is refused
        ignore_changes: [user_data]   # neither plan nor drift counts these properties
        deletion: Retain              # Delete, Retain, Snapshot, RetainExceptOnCreate
        update_replace: Snapshot      # the same, when it is replaced
        timeout: 10m                  # how long one action on it may take
        moved_from: old_name          # it was known under this name before
        disk_copy: never              # its disks are not copied before an update grows them: a rollback leaves them as they are then
      external: its-id              # an object that is on the host: it is used, and neither changed nor deleted
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stackengine.formats.build import plain
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.duration import duration
from stackengine.model.expr import Expr, Literal, Map
from stackengine.model.template import Policies

KEY, EXTERNAL = "stackengine", "external"
DELETION = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")


def with_life(policies: Policies, metadata: Node | None, diagnostics: Diagnostics) -> Policies:
    """``policies`` with what the metadata's ``stackengine`` mapping says."""
    own = metadata.get(KEY) if metadata is not None and metadata.kind == "map" else None
    if own is None:
        return policies
    if own.kind != "map":
        diagnostics.error("T120", f"{KEY} in a resource's metadata is a mapping", own.mark, ", ".join((*_READERS, EXTERNAL)))
        return policies
    found: dict[str, Any] = {}
    for key, node in own.entries:
        reader = _READERS.get(key.text)
        if key.text == EXTERNAL:  # may be an expression: external_of
            continue
        if reader is None:
            hint = did_you_mean(key.text, (*_READERS, EXTERNAL)) or ", ".join((*_READERS, EXTERNAL))
            diagnostics.error("T121", f"{KEY} has no key {key.text}", key.mark, hint)
            continue
        try:
            found[key.text] = reader(plain(node, "yaml11"))
        except ValueError as error:
            diagnostics.error("T122", f"{KEY}.{key.text}: {error}", node.mark)
    return replace(policies, **found)


def external_of(metadata: Expr | None) -> Expr | None:
    """The id of an existing object that the metadata's ``stackengine`` mapping names, or None."""
    return _entry(_entry(metadata, KEY), EXTERNAL)


def _entry(expr: Expr | None, key: str) -> Expr | None:
    if isinstance(expr, Literal):
        return Literal(expr.value[key], expr.mark) if isinstance(expr.value, dict) and expr.value.get(key) is not None else None
    return expr.get(key) if isinstance(expr, Map) else None


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        found = {k.lower(): k for k in known}.get(str(value).lower())
        if found is None:
            raise ValueError(f"{', '.join(known)}, not {value}")
        return found

    return read


def _names(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(v, str) and v for v in values):
        raise ValueError("names of properties")
    return tuple(values)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a logical id")
    return value


def seconds(value: Any) -> float:
    """Seconds of a time as ``model.duration`` has it; ValueError for anything else."""
    found = None if isinstance(value, bool) else duration(value)
    if found is None:
        raise ValueError("a time such as 90s, 15m or 2h")
    return found


_READERS: dict[str, Callable[[Any], Any]] = {
    "protect": _bool,
    "replace": _one_of("allow", "never"),
    "ignore_changes": _names,
    "deletion": _one_of(*DELETION),
    "update_replace": _one_of(*DELETION),
    "timeout": seconds,
    "moved_from": _text,
    "disk_copy": _one_of("always", "never"),
}
