"""YAQL expressions through the ``yaql`` library, within Heat's limits (200 items of an iterator, 10,000 bytes of memory) and ours."""

from __future__ import annotations

from functools import cache
from typing import Any

from stackengine.evaluate.functions.yaql_limits import OutOfBounds, bounded, register_expressions

OPTIONS = {"yaql.limitIterators": 200, "yaql.memoryQuota": 10_000}
"""Heat's defaults (its configuration section [yaql])."""
MAX_EXPRESSION = 20_000
"""Characters; the library's parser has no limit of its own."""


@cache
def _engine() -> tuple[Any, Any]:
    import yaql as library

    context = library.create_context().create_child_context()
    register_expressions(context)
    return library.YaqlFactory().create(OPTIONS), context


def yaql(expression: Any, data: Any = None) -> Any:
    """The value of an expression over ``{"data": data}``; ValueError with the library's words."""
    if not isinstance(expression, str):
        raise ValueError("the expression must be text")
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"an expression has {MAX_EXPRESSION} characters at most")
    engine, context = _engine()
    try:
        found = bounded(lambda: _plain(engine(expression).evaluate({"data": data}, context.create_child_context())))
    except OutOfBounds as error:
        raise ValueError(f"{_shown(expression)}: {error}") from None
    except RecursionError:
        raise ValueError("the expression is nested too deeply") from None
    except Exception as error:  # the library raises whatever its functions raise
        raise ValueError(f"{_shown(expression)}: {error or type(error).__name__}") from error
    return found


def _shown(expression: str) -> str:
    text = expression.strip()
    return text if len(text) <= 200 else text[:197] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
