"""What functions mean, once for all languages, by neutral name. Arguments and results are plain JSON.

Unknown and Sensitive never get here: the evaluator keeps a call with an unknown argument as a residual expression, and wraps
the result of a call with a secret argument again.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Function = Callable[..., Any]

_MODULES = ("text", "collections", "logic", "networks", "heat", "cloudformation", "tosca")


class _Functions(dict[str, Function]):
    """The functions by name; each module is read when a function is asked for that those before it do not have."""

    def __init__(self) -> None:
        super().__init__()
        self._left = list(_MODULES)

    def __missing__(self, name: str) -> Function:
        while self._left:
            found = import_module(f"{__name__}.{self._left.pop(0)}").FUNCTIONS
            self.update({n: f for n, f in found.items() if n not in self})
            if name in self:
                return self[name]
        raise KeyError(name)


FUNCTIONS = _Functions()
