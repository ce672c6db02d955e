"""What functions mean, once for all languages, by neutral name. Arguments and results are plain JSON.

Unknown and Sensitive never get here: the evaluator keeps a call with an unknown argument as a residual expression, and wraps
the result of a call with a secret argument again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stackengine.evaluate.functions import cloudformation, collections, heat, logic, networks, text, tosca

Function = Callable[..., Any]


FUNCTIONS: dict[str, Function] = {
    **text.FUNCTIONS, **collections.FUNCTIONS, **logic.FUNCTIONS, **networks.FUNCTIONS, **heat.FUNCTIONS, **cloudformation.FUNCTIONS, **tosca.FUNCTIONS,
}  # fmt: skip
