"""Values for people and for programs; a secret never comes out of here.

Values come as the model has them, or as records hold them (``{"$secret": id}``, ``{"$unknown": expression}``).
"""

from __future__ import annotations

import difflib
import json
from typing import Any

from stackengine.model.values import OMIT, SecretRef, Sensitive, Unknown, Value

SENSITIVE = "(sensitive)"
LIMIT = 72
"""Characters that one value may take on a line."""


def show(value: Value, limit: int = LIMIT) -> str:
    """One value on one line, cut at ``limit`` characters."""
    if isinstance(value, str) and "\n" in value.strip("\n"):
        lines = value.strip("\n").splitlines()
        return f"{_cut(_quote(lines[0]), limit - 14)} … ({len(lines)} lines)"
    return _cut(_inline(value), limit)


def _inline(value: Value) -> str:
    match value:
        case Sensitive() | SecretRef():
            return SENSITIVE
        case {"$secret": _}:
            return SENSITIVE
        case {"$unknown": _}:
            return "(known after apply)"
        case Unknown():
            return _unknown(value)
        case str():
            return _quote(value)
        case dict():
            return "{" + ", ".join(f"{k}: {_inline(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_inline(v) for v in value) + "]"
        case _ if value is OMIT:
            return "(left out)"
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def _unknown(value: Unknown) -> str:
    text = value.describe()
    return f"({text})" if text.startswith("known after apply") else f"(known after apply: {text})"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def to_data(value: Value) -> Any:
    """A value as JSON for programs: what is not known yet is ``{"$unknown": "db.address"}``, a secret is ``{"$sensitive": true}``."""
    match value:
        case Sensitive() | SecretRef() | {"$secret": _}:
            return {"$sensitive": True}
        case Unknown():
            return {"$unknown": value.describe()}
        case dict():
            return {str(k): to_data(v) for k, v in value.items() if v is not OMIT}
        case list() | tuple() | set() | frozenset():
            return [to_data(v) for v in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def bare(value: Value) -> str:
    """A value for scripts: a string as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(to_data(value), ensure_ascii=False)


def text_diff(old: Value, new: Value, limit: int = 12) -> list[str]:
    """The lines that differ between two texts of several lines, each with ``-`` or ``+``; empty where they are no such texts."""
    if not (isinstance(old, str) and isinstance(new, str) and ("\n" in old.strip() or "\n" in new.strip())):
        return []
    lines = [d for d in difflib.ndiff(old.splitlines(), new.splitlines()) if d[0] in "+-"]
    more = len(lines) - limit
    return lines if more <= 0 else [*lines[:limit], f"… {more} more lines differ"]
