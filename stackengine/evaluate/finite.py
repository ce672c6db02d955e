"""Numbers and JSON text given as parameters, in every language: what JSON cannot say (infinity, not-a-number) is refused, as nothing could record it."""

from __future__ import annotations

import json
import math
from typing import Any


def number(raw: Any) -> int | float:
    """A number, or text that is one; ValueError where it is none, or is not finite."""
    found: int | float
    try:
        found = raw if isinstance(raw, (int, float)) else int(raw)
    except (TypeError, ValueError):
        try:
            found = float(raw)
        except (TypeError, ValueError):
            raise ValueError(f"{raw!r} is not a number") from None
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError(f"{raw!r} is not a finite number")
    return found


def from_json(text: str) -> Any:
    """What JSON text says; ValueError where it is none."""
    try:
        return json.loads(text, parse_constant=_refused, parse_float=number)
    except ValueError as error:
        raise ValueError(f"not valid JSON: {error}") from None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not a finite number")
