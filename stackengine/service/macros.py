"""CloudFormation macros: Python entry points of this machine, if its owner allows them."""

from __future__ import annotations

import importlib
from typing import Any

from stackengine.model.allowed import Allowed


class AllowedMacros:
    """``formats.Macros``: calls ``module:function(event, None)`` as AWS Lambda would, for those that ``allow.python`` names."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    def call(self, name: str, event: dict[str, Any]) -> Any:
        """What the macro answers; PermissionError where it may not run, and whatever it raises itself."""
        if not self._allowed.may_import(name):
            raise PermissionError("the entry point is not allowed on this machine")
        module, _, function = name.partition(":")
        return getattr(importlib.import_module(module), function)(event, None)
