"""Members of a group: which stable keys it has, given those that it had; and their key put into their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count as counting

from stackengine.model.desired import Scope
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Expr
from stackengine.model.template import Nested
from stackengine.model.values import Sensitive, Unknown, Value, has_unknown, leaves, reveal, waits_for_resources

MAX_MEMBERS = 10_000


def chosen_members(
    path: str, nested: Nested, evaluate: Callable[[Expr], Value], before: Scope | None, diagnostics: Diagnostics
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(keys, keys that were taken out for good).

    Heat's rules (ResourceGroup): keys are numbers from 0; a key named in ``removal_policies`` is taken out and never used again
    (``removal_policies_mode: update`` forgets earlier ones); a smaller count drops the last; a bigger one adds the lowest free numbers.
    """
    wanted = _count(path, nested, evaluate, diagnostics)
    mode = evaluate(nested.removed_mode) if nested.removed_mode is not None else "append"
    gone = () if before is None or mode == "update" else before.removed
    removed = list(dict.fromkeys([*gone, *_removed(path, nested, evaluate, diagnostics)]))
    keys = [k for k in (before.members if before is not None else ()) if k not in removed][:wanted]
    taken = {*keys, *removed}
    fresh: Iterator[str] = (k for k in map(str, counting()) if k not in taken)
    keys += [next(fresh) for _ in range(wanted - len(keys))]
    return tuple(keys), tuple(removed)


def keys_of(path: str, each: Expr, evaluate: Callable[[Expr], Value], diagnostics: Diagnostics) -> tuple[str, ...]:
    """The keys of a map that has one member for each of them."""
    value = reveal(evaluate(each))
    if isinstance(value, dict):
        return tuple(value)
    if value is not None and not (isinstance(value, Unknown) and not waits_for_resources(value)):
        diagnostics.error("N106", f"the members of {path} are those of a map that is known before apply", each.mark)
    return ()


def _count(path: str, nested: Nested, evaluate: Callable[[Expr], Value], diagnostics: Diagnostics) -> int:
    if nested.count is None:
        return 1
    value, mark = evaluate(nested.count), nested.count.mark
    if has_unknown(value) and not waits_for_resources(value):
        return 1
    if has_unknown(value):
        diagnostics.error("N106", f"how many members {path} has cannot depend on what is known only after apply", mark)
        return 0
    plain = reveal(value)
    try:
        number = int(plain) if not isinstance(plain, bool) and float(plain) == int(plain) else -1
    except (TypeError, ValueError, OverflowError):
        number = -1
    if not 0 <= number <= MAX_MEMBERS:
        diagnostics.error("N107", f"the count of {path} must be a whole number from 0 to {MAX_MEMBERS}, not {plain!r}", mark)
        return 0
    return number


def _removed(path: str, nested: Nested, evaluate: Callable[[Expr], Value], diagnostics: Diagnostics) -> list[str]:
    if nested.removed is None:
        return []
    value = evaluate(nested.removed)
    if has_unknown(value):
        diagnostics.error("N108", f"which members {path} loses cannot depend on what is known only after apply", nested.removed.mark)
        return []
    return [str(k) for k in leaves(reveal(value)) if k is not None and k != ""]


def with_index(value: Value, variable: str, key: str) -> Value:
    """``value`` with ``variable`` replaced by ``key`` in all its text; what is not known yet stays as it is."""
    if isinstance(value, str):
        return value.replace(variable, key)
    if isinstance(value, dict):
        return {k.replace(variable, key) if isinstance(k, str) else k: with_index(v, variable, key) for k, v in value.items()}
    if isinstance(value, list):
        return [with_index(v, variable, key) for v in value]
    return Sensitive(with_index(value.value, variable, key)) if isinstance(value, Sensitive) else value
