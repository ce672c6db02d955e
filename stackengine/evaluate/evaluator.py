"""Evaluates expressions to values; what is not known yet stays behind as a residual expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from stackengine.evaluate.functions import FUNCTIONS
from stackengine.evaluate.functions.cloudformation import NamedMapping, NoKeyError, ToldError
from stackengine.evaluate.functions.logic import truth
from stackengine.evaluate.outside import QUESTIONS
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Literal, Map, Param, Ref
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.values import OMIT, SecretRef, Sensitive, Unknown, Value, has_leaf, has_sensitive, has_unknown, leaves, map_leaves, reveal


class _Pending:
    __slots__ = ()

    def __repr__(self) -> str:
        return "PENDING"


PENDING = _Pending()
"""What a lookup returns for what is not known yet."""

Lookup = Callable[[str, str | None], Value]
"""(path, attribute or None for the physical id) -> value or PENDING."""


class Secrets(Protocol):
    """Opens and seals secrets while residual expressions are finished."""

    def seal(self, value: Value) -> SecretRef:
        """The sealed form."""

    def open(self, ref: SecretRef) -> Value:
        """The value."""


class EvaluationError(Exception):
    """A function refused its arguments."""

    def __init__(self, message: str, mark: Mark, keys: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.mark = mark
        self.keys = keys
        """Those that a mapping does not have."""


class Evaluator:
    """Evaluates expressions against parameters, conditions and what ``lookup`` knows of resources."""

    def __init__(
        self,
        lookup: Lookup,
        parameters: Mapping[str, Value] | None = None,
        conditions: Mapping[str, Expr] | None = None,
        mappings: Mapping[str, Any] | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._lookup, self._parameters = lookup, parameters or {}
        self._conditions, self._mappings, self._secrets = conditions or {}, mappings or {}, secrets
        self._decided: dict[str, Value] = {}

    def value(self, expr: Expr) -> Value:
        """The value of ``expr``; leaves that wait for resources are Unknown. Raises EvaluationError."""
        match expr:
            case Literal(value=value):
                return self._opened(value) if self._secrets is not None else value
            case Map(entries=entries):
                found = ((e.key, self.value(e.value)) for e in entries)
                return {k: v for k, v in found if v is not OMIT}
            case List(items=items):
                return [v for v in map(self.value, items) if v is not OMIT]
            case Param(name=name, mark=mark):
                if name not in self._parameters:
                    raise EvaluationError(f"there is no parameter {name}", mark)
                return self._parameters[name]
            case Ref():
                return self.reference(expr)
            case Attr(path=path):
                return self.attribute(expr, [self.value(p) for p in path])
            case If():
                return self._if(expr)
            case Call():
                return self._call(expr)

    def _opened(self, value: Value) -> Value:
        secrets = self._secrets
        assert secrets is not None
        return map_leaves(value, lambda v: Sensitive(secrets.open(v)) if isinstance(v, SecretRef) else v)

    def reference(self, expr: Ref) -> Value:
        """What a bare reference gives."""
        known = self._lookup(expr.target, None)
        return Unknown(expr) if known is PENDING else known

    def attribute(self, expr: Attr, path: list[Value]) -> Value:
        """What an attribute gives; ``path`` is its evaluated path."""
        if not path or any(has_unknown(p) for p in path):  # without a path: all attributes at once
            return Unknown(Attr(expr.target, tuple(to_expr(p) for p in path), expr.mark))
        known = self._lookup(expr.target, str(path[0]))
        if known is PENDING:
            return Unknown(Attr(expr.target, tuple(Literal(p) for p in path), expr.mark))
        return dig(known, path[1:])

    def _if(self, expr: If) -> Value:
        decided = self.value(expr.condition)
        if has_unknown(decided):
            return Unknown(If(to_expr(decided), self._residual(expr.then), self._residual(expr.otherwise), expr.mark))
        return self.value(expr.then if self._truth(reveal(decided), expr.mark) else expr.otherwise)

    def _residual(self, expr: Expr) -> Expr:
        return to_expr(self.value(expr))

    def _truth(self, value: Value, mark: Mark) -> bool:
        try:
            return truth(value)
        except ValueError as error:
            raise EvaluationError(str(error), mark) from error

    def condition(self, name: str, mark: Mark) -> Value:
        """The value of a named condition."""
        if name not in self._decided:
            if name not in self._conditions:
                raise EvaluationError(f"there is no condition {name}", mark)
            self._decided[name] = self.decide(name, mark)
        return self._decided[name]

    def by_name(self, args: list[Value], mark: Mark) -> Value:
        """What a computed name stands for: (kind, name, keys …), kind being parameter, resource or attribute."""
        kind, name, *path = args
        if has_unknown(name) or not isinstance(reveal(name), str):
            raise EvaluationError(f"the name of a {kind} must be text that is known before apply", mark)
        if kind == "parameter":
            found = self.value(Param(reveal(name), mark))
            return dig(found, path)
        return self.reference(Ref(reveal(name), mark)) if kind == "resource" else self.attribute(Attr(reveal(name), (), mark), path)

    def facade(self, what: str) -> Value:
        """What the resource says that this template stands for (HOT resource_facade); by itself it stands for none."""
        return "Delete" if what == "deletion_policy" else {}

    def decide(self, name: str, mark: Mark) -> Value:  # noqa: ARG002  (a level says where a circle was entered)
        """The value of a condition that was not asked for before."""
        return self.value(self._conditions[name])

    def _call(self, expr: Call) -> Value:
        if expr.fn == "condition":
            return self.condition(str(self.value(expr.args[0])), expr.mark)
        if expr.fn == "or_empty" and isinstance(expr.args[0], Call) and expr.args[0].fn == "dig":
            return self._into_parameter(expr, expr.args[0])
        args = [v for a in expr.args if (v := self.value(a)) is not OMIT]
        if expr.fn == "facade":
            return self.facade(str(args[0]))
        if expr.fn == "named":
            return self.by_name(args, expr.mark)
        if expr.fn == "dig" and not isinstance(args[0], (Unknown, SecretRef)) and not has_unknown(args[1]):
            found = dig(args[0], reveal(args[1]))
            return found if found is not None or len(args) < 3 else self._told(Call("reached", (), expr.mark), [args[2], reveal(args[0]), reveal(args[1])])
        if expr.fn == "find_in_map" and not isinstance(args[0], (Unknown, dict)):
            args[0] = self._mapping(reveal(args[0]), expr.mark, len(args) > 3)
        if expr.fn in ("select_item", "length") and args and isinstance(args[-1], list) and not any(has_unknown(a) for a in args[:-1]):
            return self._told(expr, [reveal(args[0]) if len(args) > 1 else args[0], *args[1:]])
        if any(has_unknown(a) for a in args) or (self._secrets is None and any(isinstance(v, SecretRef) for a in args for v in leaves(a))):
            return Unknown(Call(expr.fn, tuple(to_expr(a) for a in args), expr.mark))
        secret = any(has_sensitive(a) for a in args)
        plain = [reveal(a) for a in args] if secret else args
        if expr.fn == "sensitive":
            return args[0] if isinstance(args[0], Sensitive) else Sensitive(plain[0])
        if expr.fn in QUESTIONS:
            return self.outside(expr, plain)
        result = self._told(expr, plain)
        return Sensitive(result) if secret else result

    def _into_parameter(self, expr: Call, path: Call) -> Value:
        """HOT's ``get_param`` with a path: a null that is there stays one, a character of a text can be taken, and what is not there is the empty text."""
        whole, keys = self.value(path.args[0]), self.value(path.args[1])
        if isinstance(whole, (Unknown, SecretRef)) or has_unknown(keys):
            return Unknown(Call("or_empty", (Call("dig", (to_expr(whole), to_expr(keys)), path.mark),), expr.mark))
        return dig(whole, reveal(keys), "")

    def _told(self, expr: Call, args: list[Any]) -> Value:
        """What a function gives; what it refuses is an EvaluationError at its place."""
        try:
            return FUNCTIONS[expr.fn](*args)
        except ToldError as error:
            raise EvaluationError(str(error), expr.mark, error.keys if isinstance(error, NoKeyError) else ()) from error
        except KeyError as error:
            raise EvaluationError(f"{expr.fn}: {error}", expr.mark) from error
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise EvaluationError(f"{expr.fn}: {error}", expr.mark) from error

    def outside(self, expr: Call, args: list[Any]) -> Value:
        """What only the world outside of the template knows: not known here."""
        return Unknown(Call(expr.fn, tuple(map(Literal, args)), expr.mark))

    def _mapping(self, name: Any, mark: Mark, has_default: bool) -> Any:
        if str(name) not in self._mappings and not has_default:
            raise EvaluationError(f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.", mark)
        return NamedMapping(str(name), self._mappings.get(str(name)) or {})


def dig(value: Value, keys: list[Value], nothing: str | None = None) -> Value:
    """Follow keys and indexes into a value; ``nothing`` where there is nothing: None, as HOT's get_attr does, or the empty text, as get_param does.

    A secret stays one; into what is unknown, later.
    """
    for number, key in enumerate(keys):
        if isinstance(value, Sensitive):
            found = dig(value.value, keys[number:], nothing)
            return found if isinstance(found, Sensitive) else Sensitive(found)
        if isinstance(value, (Unknown, SecretRef)) or has_unknown(key):
            return Unknown(_deeper(to_expr(value), keys[number:]))
        if isinstance(value, dict):
            value = value.get(key, value.get(str(key), nothing))
        elif isinstance(value, list) or (nothing is not None and isinstance(value, str)):
            try:
                value = value[int(key)]
            except (ValueError, IndexError, TypeError):
                return nothing
        else:
            return nothing
    return value


def _deeper(expr: Expr, keys: list[Value]) -> Expr:
    if isinstance(expr, Attr):
        return Attr(expr.target, (*expr.path, *map(to_expr, keys)), expr.mark)
    return Call("dig", (expr, to_expr(keys)), expr.mark)


def to_expr(value: Value) -> Expr:
    """A value as an expression again, its unknown leaves being what they wait for."""
    if isinstance(value, Unknown):
        return value.expr
    if isinstance(value, dict) and has_unknown(value):
        return Map(tuple(Entry(k, NOWHERE, to_expr(v)) for k, v in value.items()))
    if isinstance(value, list) and has_unknown(value):
        return List(tuple(to_expr(v) for v in value))
    return Literal(value)


def resolve(value: Value, lookup: Lookup, secrets: Secrets | None = None) -> Value:
    """Finish the residual expressions of ``value`` as far as ``lookup`` knows; with ``secrets``, secret results come back sealed.

    Raises EvaluationError when a function refuses what arrived.
    """
    evaluator = Evaluator(lookup, secrets=secrets)

    def leaf(item: Value) -> Value:
        if not isinstance(item, Unknown):
            return item
        found = evaluator.value(item.expr)
        return seal(found, secrets) if secrets is not None else found

    return map_leaves(value, leaf)


def seal(value: Value, secrets: Secrets) -> Value:
    """``value`` with every Sensitive sealed, also inside residual expressions."""
    if not has_leaf(value, (Sensitive, Unknown)):
        return value

    def leaf(item: Value) -> Value:
        if isinstance(item, Sensitive):
            return secrets.seal(item.value)
        if isinstance(item, Unknown):
            return Unknown(_seal_expr(item.expr, secrets))
        return item

    return map_leaves(value, leaf)


def _seal_expr(expr: Expr, secrets: Secrets) -> Expr:
    match expr:
        case Literal(value=value, mark=mark):
            return Literal(seal(value, secrets), mark) if has_sensitive(value) else expr
        case Map(entries=entries, mark=mark):
            return Map(tuple(Entry(e.key, e.key_mark, _seal_expr(e.value, secrets)) for e in entries), mark)
        case List(items=items, mark=mark):
            return List(tuple(_seal_expr(i, secrets) for i in items), mark)
        case Attr(target=target, path=path, mark=mark):
            return Attr(target, tuple(_seal_expr(p, secrets) for p in path), mark)
        case Call(fn=fn, args=args, mark=mark):
            return Call(fn, tuple(_seal_expr(a, secrets) for a in args), mark)
        case If(condition=c, then=t, otherwise=o, mark=mark):
            return If(_seal_expr(c, secrets), _seal_expr(t, secrets), _seal_expr(o, secrets), mark)
        case _:
            return expr
