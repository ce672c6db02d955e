"""Expressions: what the three languages' functions and references are, once their spelling is gone.

A format only translates spelling: HOT ``get_attr``, CloudFormation ``Fn::GetAtt`` and TOSCA ``get_attribute`` are all
:class:`Attr`. Meaning lives once, in ``stackengine.evaluate``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from stackengine.model.mark import NOWHERE, Mark


@dataclass(frozen=True, slots=True)
class Literal:
    """A plain value without expressions inside; ``value`` is JSON, or a Sensitive or SecretRef."""

    value: Any
    mark: Mark = NOWHERE


class Entry(NamedTuple):
    """One key of a :class:`Map`."""

    key: str
    key_mark: Mark
    value: Expr


@dataclass(frozen=True, slots=True)
class Map:
    """A mapping that has expressions (or marks worth keeping) inside; keys are plain."""

    entries: tuple[Entry, ...]
    mark: Mark = NOWHERE

    def get(self, key: str) -> Expr | None:
        """The value of ``key``, or None."""
        return next((e.value for e in self.entries if e.key == key), None)


@dataclass(frozen=True, slots=True)
class List:
    """A sequence that has expressions (or marks worth keeping) inside."""

    items: tuple[Expr, ...]
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Param:
    """The value of a parameter or pseudo parameter, by name."""

    name: str
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Ref:
    """A resource by logical id (later: by path); its value is the physical id unless the type's dialect says otherwise."""

    target: str
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Attr:
    """An attribute of a resource; ``path`` is its name and then keys or indexes into it, each an expression."""

    target: str
    path: tuple[Expr, ...]
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``fn`` is the neutral name under which ``evaluate`` knows it."""

    fn: str
    args: tuple[Expr, ...]
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class If:
    """One of two branches by a condition; ``condition`` is an expression that gives a boolean.

    A missing branch (CloudFormation ``AWS::NoValue``, HOT ``if`` without else) is ``Literal(OMIT)``.
    """

    condition: Expr
    then: Expr
    otherwise: Expr
    mark: Mark = NOWHERE


Expr: TypeAlias = Literal | Map | List | Param | Ref | Attr | Call | If


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions of ``expr``."""
    match expr:
        case Map(entries=entries):
            return tuple(e.value for e in entries)
        case List(items=items):
            return items
        case Attr(path=path):
            return path
        case Call(args=args):
            return args
        case If(condition=c, then=t, otherwise=o):
            return (c, t, o)
        case _:
            return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """``expr`` and everything below it, parents first."""
    stack = [expr]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(children(top)))


def references(expr: Expr) -> Iterator[Ref | Attr]:
    """Every Ref and Attr in ``expr``."""
    return (e for e in walk(expr) if isinstance(e, (Ref, Attr)))
