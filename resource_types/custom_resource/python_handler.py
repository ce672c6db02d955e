"""A process of its own for a Python handler: ``{"path", "handler", "event"}`` on standard input, ``{"answer"}`` or ``{"error"}`` on standard output.

What the handler prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def answered(asked: dict[str, Any]) -> str:
    """The answer as JSON, or what the handler raised."""
    sys.path[:] = asked["path"]
    module, _, function = asked["handler"].partition(":")
    try:
        return json.dumps({"answer": getattr(importlib.import_module(module), function)(asked["event"], None)})
    except Exception as error:
        return json.dumps({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with out:
        out.write(answered(json.load(sys.stdin)))
