"""From the template's names to native ones: references and attributes in values that are not known yet."""

from __future__ import annotations

from collections.abc import Mapping

from stackengine.evaluate.evaluator import dig, to_expr
from stackengine.evaluate.kinds import RECORD, Kinds
from stackengine.evaluate.written import Written
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Map, Ref
from stackengine.model.values import Unknown, Value, map_leaves
from stackengine.registry import Dialect, heat_types


def is_only_heats(type_name: str, attribute: str, dialect: Dialect, kinds: Kinds) -> bool:
    """Whether Heat's type has an attribute that has no value here (``status``, ``show``): it is null then."""
    known = heat_types().get(type_name)
    return known is not None and attribute in known["a"] and not kinds.gives(dialect, attribute)


class Lowering:
    """Rewrites values of one flattening."""

    def __init__(self, written: Mapping[str, Written], kinds: Kinds) -> None:
        self._written, self._kinds = written, kinds
        self._open: set[str] = set()

    def value(self, value: Value) -> Value:
        """``value`` with every reference made native."""
        return map_leaves(value, lambda v: self._leaf(v) if isinstance(v, Unknown) else v)

    def _leaf(self, unknown: Unknown) -> Value:
        found = self._expr(unknown.expr)
        return found.value if isinstance(found, Literal) and found is not unknown.expr else Unknown(found)

    def _expr(self, expr: Expr) -> Expr:
        match expr:
            case Ref(target=target, mark=mark):
                dialect = self._dialect(target)
                return Attr(target, (Literal(dialect.ref),), mark) if dialect and dialect.ref else expr
            case Attr():
                return self._attribute(expr)
            case Map(entries=entries, mark=mark):
                return Map(tuple(e._replace(value=self._expr(e.value)) for e in entries), mark)
            case List(items=items, mark=mark):
                return List(tuple(map(self._expr, items)), mark)
            case Call(fn=fn, args=args, mark=mark):
                return Call(fn, tuple(map(self._expr, args)), mark)
            case If(condition=c, then=t, otherwise=o, mark=mark):
                return If(self._expr(c), self._expr(t), self._expr(o), mark)
            case _:
                return expr

    def _dialect(self, target: str) -> Dialect | None:
        found = self._written.get(target)
        return self._kinds.dialect(_base(found)) if found is not None else None

    def _attribute(self, expr: Attr) -> Expr:
        found = self._written.get(expr.target)
        if found is not None and (not self._kinds.supported(_base(found)) or found.placed.resource.stands_for == RECORD):
            return self._recorded(expr, found)
        if not expr.path:  # all attributes at once
            return expr
        first, rest = expr.path[0], tuple(map(self._expr, expr.path[1:]))
        if not isinstance(first, Literal):
            return Attr(expr.target, (self._expr(first), *rest), expr.mark)
        dialect = self._kinds.dialect(_base(found)) if found is not None else None
        if found is not None and dialect is not None and is_only_heats(found.type, str(first.value), dialect, self._kinds):
            return Literal(None, expr.mark)
        if found is not None and found.placed.resource.stands_for and dialect is not None and first.value not in (*dialect.attributes, "physical_id"):
            return Literal(None, expr.mark)  # an attribute that the template's own type adds, and nothing gives
        names = self._native(dialect, str(first.value))
        if found is not None and names[0].startswith("$"):
            if names[0][1:] in found.properties:
                return self._said(expr, found, names[0][1:])
            names = [str(first.value)]
        if names == ["physical_id"]:
            return Ref(expr.target, expr.mark)
        return Attr(expr.target, (*(Literal(n, first.mark) for n in names), *rest), expr.mark)

    @staticmethod
    def _native(dialect: Dialect | None, name: str) -> list[str]:
        """The native path of a foreign attribute; ``*`` in a dialect is where all other names are found."""
        known = dialect.attributes if dialect is not None else {}
        if known.get(name):
            return known[name].split(".")
        return [*known["*"].split("."), name] if "*" in known else [name]

    def _recorded(self, expr: Attr, found: Written) -> Expr:
        """An attribute of something that is only recorded: its property of that name, else its id."""
        first = expr.path[0]
        name = first.value if isinstance(first, Literal) else None
        if found.placed.resource.stands_for and name not in found.properties:
            return Literal(None, expr.mark)
        if not isinstance(name, str) or name not in found.properties or expr.target in self._open:
            return Ref(expr.target, expr.mark)
        return self._said(expr, found, name)

    def _said(self, expr: Attr, found: Written, name: str) -> Expr:
        """What the property ``name`` says, if it is there: an attribute that tells it."""
        if name not in found.properties or expr.target in self._open:
            return Literal(None, expr.mark)
        self._open.add(expr.target)
        try:
            keys = [k.value if isinstance(k, Literal) else Unknown(self._expr(k)) for k in expr.path[1:]]
            return to_expr(self.value(dig(found.properties[name], keys)))
        finally:
            self._open.discard(expr.target)


def _base(found: Written) -> str:
    """The type whose native names count."""
    return found.placed.resource.stands_for or found.type
