"""YAQL expressions through the ``yaql`` library, within Heat's limits: 200 items of an iterator, 10,000 bytes of memory."""

from __future__ import annotations

from functools import cache
from typing import Any

OPTIONS = {"yaql.limitIterators": 200, "yaql.memoryQuota": 10_000}
"""Heat's defaults (its configuration section [yaql])."""
MAX_EXPRESSION = 20_000
"""Characters; the library's parser has no limit of its own."""


@cache
def _engine() -> tuple[Any, Any]:
    import yaql as library

    return library.YaqlFactory().create(OPTIONS), library.create_context()


def yaql(expression: Any, data: Any = None) -> Any:
    """The value of an expression over ``{"data": data}``; ValueError with the library's words."""
    if not isinstance(expression, str):
        raise ValueError("the expression must be text")
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"an expression has {MAX_EXPRESSION} characters at most")
    engine, context = _engine()
    try:
        found = engine(expression).evaluate({"data": data}, context.create_child_context())
    except RecursionError:
        raise ValueError("the expression is nested too deeply") from None
    except Exception as error:  # the library raises whatever its functions raise
        raise ValueError(f"{expression.strip()}: {error or type(error).__name__}") from error
    return _plain(found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
