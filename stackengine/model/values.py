"""Values: JSON, and three wrappers that go through every function and every record.

* :class:`Unknown`: known after apply; keeps the residual expression, so the engine can finish it when attributes arrive.
* :class:`Sensitive`: a secret in memory; its repr is ``***``; contagious through functions.
* :class:`SecretRef`: a secret at rest; what events, plans and recorded properties hold instead of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from stackengine.model.expr import Attr, Call, Expr, Literal, Param, Ref, references, walk

Value: TypeAlias = Any
"""JSON (None, bool, int, float, str, list, dict with str keys) that may hold Unknown, Sensitive or SecretRef anywhere."""


class _Omit:
    """The value of a key that is to be left out (``AWS::NoValue``)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "OMIT"


OMIT = _Omit()

ONLY_READ = frozenset(("tosca_output",))
"""Functions that only say how an attribute is read."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only when other resources are there; ``expr`` holds only Literal, Map, List, Ref, Attr, Call, If."""

    expr: Expr

    def refs(self) -> Iterator[Ref | Attr]:
        """What it waits for."""
        return references(self.expr)

    def describe(self) -> str:
        """For people: ``db.address`` or ``known after apply (db.address, web)``."""
        if isinstance(self.expr, Literal):
            return "what is wrong with it is reported"
        names = [name for e in walk(self.expr) if (name := _waits_for(e))]
        if isinstance(self.expr, Param):
            return names[0]
        whole = isinstance(self.expr, (Ref, Attr)) or (isinstance(self.expr, Call) and self.expr.fn in ONLY_READ)
        return names[0] if whole and names else f"known after apply ({', '.join(dict.fromkeys(names))})"

    def __repr__(self) -> str:
        return f"Unknown({self.describe()})"


_ASKED = {"import_value": "export", "stack_output": "output of the stack", "record_value": "record", "dynamic_reference": "reference"}


def _waits_for(expr: Expr) -> str:
    """What a part of an expression waits for by itself, in words; the empty text for what only holds other parts."""
    if isinstance(expr, Param):
        return f"parameter {expr.name}"
    if isinstance(expr, (Ref, Attr)):
        return describe_reference(expr)
    if isinstance(expr, Call) and expr.fn in _ASKED:
        said = " ".join(str(a.value) for a in expr.args if isinstance(a, Literal) and isinstance(a.value, str))
        return f"{_ASKED[expr.fn]} {said}".rstrip()
    return ""


FAULTY = Unknown(Literal(None))
"""Stands for a value whose fault is reported already, so that nothing else is reported because of it."""


def describe_reference(ref: Ref | Attr) -> str:
    """``path`` or ``path.attribute.key``."""
    if isinstance(ref, Ref):
        return ref.target
    return ".".join([ref.target, *(str(p.value) if isinstance(p, Literal) else "…" for p in ref.path)])


@dataclass(frozen=True, slots=True, repr=False)
class Sensitive:
    """A secret value; compare by value, print as ``***``."""

    value: Value

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A sealed secret: equal ids mean equal values (the id is a keyed HMAC), the value stands encrypted in the store."""

    id: str
    version: int = 1

    def __str__(self) -> str:
        return "***"


PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types of leaves that hold nothing: known at a glance, as most leaves are such."""


def has_leaf(value: Value, kinds: type | tuple[type, ...]) -> bool:
    """Whether a leaf of one of ``kinds`` is anywhere in ``value``. Asked of every property many times: no generator, no call for plain leaves."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return isinstance(value, kinds)
    for part in value:  # noqa: SIM110  (any() would make the generator that this is about)
        if type(part) not in PLAIN and has_leaf(part, kinds):
            return True
    return False


def map_leaves(value: Value, fn: Callable[[Value], Value]) -> Value:
    """``value`` rebuilt with ``fn`` applied to every leaf (everything that is neither list nor dict)."""
    if isinstance(value, dict):
        return {k: map_leaves(v, fn) for k, v in value.items()}
    if isinstance(value, list):
        return [map_leaves(v, fn) for v in value]
    return fn(value)


def leaves(value: Value) -> Iterator[Value]:
    """Every leaf of ``value``."""
    if isinstance(value, dict):
        for v in value.values():
            yield from leaves(v)
    elif isinstance(value, list):
        for v in value:
            yield from leaves(v)
    else:
        yield value


def has_unknown(value: Value) -> bool:
    """Whether an Unknown is anywhere in ``value``."""
    return has_leaf(value, Unknown)


def unknowns(value: Value) -> Iterator[Unknown]:
    """Every Unknown of ``value``. Asked of every property, of which few have one: see :func:`has_leaf`."""
    if type(value) in PLAIN:
        return iter(())
    if isinstance(value, Unknown):
        return iter((value,))
    return (v for v in leaves(value) if isinstance(v, Unknown)) if has_leaf(value, Unknown) else iter(())


def waits_for_resources(value: Value) -> bool:
    """Whether a resource must be there before ``value`` is known (and not only a parameter that has no value)."""
    return any(True for u in unknowns(value) for _ in u.refs())


def has_sensitive(value: Value) -> bool:
    """Whether a Sensitive or SecretRef is anywhere in ``value``, also inside the residual expression of an Unknown."""
    if has_leaf(value, (Sensitive, SecretRef)):
        return True
    return has_leaf(value, Unknown) and any(_is_secret(e) for u in unknowns(value) for e in walk(u.expr))


def _is_secret(expr: Expr) -> bool:
    return has_sensitive(expr.value) if isinstance(expr, Literal) else isinstance(expr, Call) and expr.fn == "sensitive"


def reveal(value: Value) -> Value:
    """``value`` with every Sensitive replaced by what it holds. Only for handing to a host or to a person who asked."""
    return map_leaves(value, lambda v: reveal(v.value) if isinstance(v, Sensitive) else v)
