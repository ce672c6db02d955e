"""Look-ups in mappings (CloudFormation's ``Fn::FindInMap``) as another language says them: HOT has parameters of type json with paths into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine.evaluate.functions.cloudformation import NamedMapping
from stackengine.model.expr import Call, Expr, If, List, Literal, Map, Param
from stackengine.model.template import Language, Parameter, Template

FIND = "find_in_map"
_MOST = {"hot": 3, "cfn": 4}
"""Arguments of a look-up that a language can say: a default is the fourth."""


class Lookups:
    """Rewrites look-ups for one language, and knows what mappings they need."""

    def __init__(self, template: Template, to: Language) -> None:
        self._template, self._to = template, to
        self.parameters: dict[str, Parameter] = {}
        """Those that stand for mappings."""
        self.mappings: dict[str, Any] = dict(template.mappings) if to == "cfn" else {}

    def __call__(self, expr: Expr) -> Expr:
        """``expr`` with its look-ups rewritten."""
        match expr:
            case Map():
                return self.properties(expr)
            case List(items=items, mark=mark):
                return List(tuple(map(self, items)), mark)
            case If(condition=condition, then=then, otherwise=otherwise, mark=mark):
                return If(self(condition), self(then), self(otherwise), mark)
            case Call(fn=fn, args=args, mark=mark) if fn == FIND and len(args) <= _MOST.get(self._to, 0):
                return self._found(Call(fn, (args[0], *map(self, args[1:])), mark))
            case Call(fn=fn, args=args, mark=mark):
                return Call(fn, tuple(map(self, args)), mark)
            case _:
                return expr

    def properties(self, properties: Map) -> Map:
        """A mapping whose values have their look-ups rewritten."""
        return Map(tuple(e._replace(value=self(e.value)) for e in properties.entries), properties.mark)

    def _found(self, call: Call) -> Expr:
        name, *keys = call.args
        if not isinstance(name, Literal):
            return call
        text = name.value.name if isinstance(name.value, NamedMapping) else str(name.value)
        if self._to == "cfn":
            return Call(FIND, (Literal(text, name.mark), *keys), call.mark)
        return Call("dig", (Param(self._parameter(text), name.mark), List(tuple(keys), call.mark)), call.mark)

    def _parameter(self, mapping: str) -> str:
        """The parameter that stands for a mapping; no other has its name."""
        name = mapping
        while name in self._template.parameters:
            name += "_mapping"
        content: Mapping[str, Any] = self._template.mappings.get(mapping) or {}
        self.parameters[name] = Parameter(name, "json", Literal(dict(content)), f"the mapping {mapping}")
        return name
