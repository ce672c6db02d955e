"""Node filters and allocations: which node may be the target (TOSCA 2.0, 8.5.5 and 8.6; Simple Profile 1.3, 3.6.5)."""

from __future__ import annotations

from typing import Any

from stackengine.formats.tosca import semantics
from stackengine.formats.tosca.definitions import DataShape, Definition
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.reading import as_pairs
from stackengine.formats.tosca.rules import Rule, constraints, validation
from stackengine.formats.tosca.topology import Context, Link, NodeTemplate
from stackengine.formats.tosca.values import MISSING, fold
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Call, Expr, List, Literal, Map, Param
from stackengine.model.mark import Mark


class Filters:
    """Judges candidates by what is known before the template is evaluated; inputs count with their defaults."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._allocated: dict[tuple[int, str, str], float] = {}

    def failed(self, link: Link) -> Mark | None:
        """Where the filter is that the target does not pass; None where it passes all, or where that is not known yet."""
        for node, document in link.filters:
            if document.reading.first and (node.get("properties") is not None or node.get("capabilities") is not None):
                if not self._clauses(node, document, link):
                    return node.mark
            elif not document.reading.first:
                context = Context(document, link.source, link, relationship=True)
                for rule in validation(node, document):
                    if self._holds(rule, None, None, context) is False:
                        return node.mark
        return None

    def check(self, node: Node, document: Document, what: str) -> None:
        """What is wrong with a filter itself."""
        if document.reading.first:
            body = document.reading.entity(node, "node filter", f"the node filter of {what}")
            for key, value in as_pairs(body.get("properties")) if body is not None and body.get("properties") is not None else ():
                constraints(value if value.kind == "list" else Node("list", value.mark, items=(value,)), document) if value.kind in ("map", "list") else key
        else:
            validation(node, document)

    def told(self, node: Node, context: Context) -> None:
        """Where a condition asks for what is not there, or cannot be asked (S241, S243, S245)."""
        for rule in validation(node, context.document):
            for given in rule.given:
                self._quiet(given, context, "S241", "S243", "S245")

    def _holds(self, rule: Rule, value: Any, shape: DataShape | None, context: Context) -> bool | None:
        given = []
        for node in rule.given:
            known = self._quiet(node, context, "S243")
            if known is MISSING or known is None:
                return None
            given.append(known)
        try:
            terms = semantics.Terms(value, given, shape.base if shape is not None else "", shape.units if shape is not None else None)
            return bool(terms.of(rule.tree))
        except (ValueError, TypeError):
            return None

    def _quiet(self, node: Node, context: Context, *codes: str) -> Any:
        return self.static(self._functions.quietly(lambda: self._functions.values.anything(node, context), *codes))

    def static(self, expr: Expr) -> Any:
        """The value of an expression with inputs at their defaults; MISSING where it is not known yet."""
        match expr:
            case Param(name=name):
                definition = (self._functions.inputs or {}).get(name)
                node = definition.default if definition is not None else None
                if definition is None or node is None:
                    return MISSING
                return self.static(self._functions.quietly(lambda: self._functions.values.defined(node, definition, Context(definition.document), name), ""))
            case Call(fn="tosca_rule", args=args):
                return self.static(args[0])
            case Call(fn="dig", args=args):
                value, keys = self.static(args[0]), self.static(args[1])
                return MISSING if value is MISSING or keys is MISSING else semantics.reach(value, keys)
            case Call(fn="tosca", args=args) | Call(fn="concat" | "token", args=args):
                return self._called(expr, args)
            case List(items=items):
                found = [self.static(i) for i in items]
                return MISSING if any(f is MISSING for f in found) else found
            case Map(entries=entries):
                values = {e.key: self.static(e.value) for e in entries}
                return MISSING if any(v is MISSING for v in values.values()) else values
            case Literal():
                return fold(expr)
            case _:
                return MISSING

    def _called(self, expr: Call, args: tuple[Expr, ...]) -> Any:
        values = [self.static(a) for a in args]
        if any(v is MISSING for v in values):
            return MISSING
        try:
            return semantics.call(values[0], values[2:], units=values[1]) if expr.fn == "tosca" else semantics.call(expr.fn, values)
        except (ValueError, TypeError):
            return MISSING

    def _clauses(self, node: Node, document: Document, link: Link) -> bool:
        """1.x: lists of constraints on properties, and on properties of capabilities."""
        target = link.target
        assert target is not None
        if not self._properties(node.get("properties"), document, target, "", link):
            return False
        for key, value in as_pairs(node.get("capabilities")):
            name = self._named(target, key.text)
            if not name or (value.kind == "map" and not self._properties(value.get("properties"), document, target, name, link)):
                return False
        return True

    @staticmethod
    def _named(target: NodeTemplate, name: str) -> str:
        """A capability by its name, or by its type's."""
        if name in target.sections.capabilities:
            return name
        types = {n: [t.name for t in c.type.ancestors()] + [t.normative for t in c.type.ancestors()] for n, c in target.sections.capabilities.items() if c.type}
        return next((n for n, known in types.items() if name in known), "")

    def _properties(self, node: Node | None, document: Document, target: NodeTemplate, capability: str, link: Link) -> bool:
        for key, value in as_pairs(node):
            definition, assigned = self._definition(target, capability, key.text)
            clauses = value if value.kind == "list" and all(i.kind == "map" for i in value.items) else Node("list", value.mark, items=(value,))
            rules = constraints(clauses, document) if value.kind != "scalar" else ()
            chosen = assigned if assigned is not None else definition.default if definition is not None else None
            if chosen is None:
                if definition is None:
                    return False
                continue
            found = self._quiet(chosen, Context(target.document, target))
            shape = self._functions.entities.definitions.schema_shape(definition.schema) if definition is not None else None
            if found is MISSING:
                continue
            if value.kind == "scalar" and fold(self._functions.values.anything(value, Context(document))) != found:
                return False
            if any(self._holds(r, found, shape, Context(document, link.source, link)) is False for r in rules):
                return False
        return True

    @staticmethod
    def _definition(target: NodeTemplate, capability: str, name: str) -> tuple[Definition | None, Node | None]:
        if capability:
            assignment = target.capabilities.get(capability)
            found = assignment.properties.get(name) if assignment is not None else None
            return target.sections.capabilities[capability].properties.get(name), found[1] if found is not None else None
        assigned = target.properties.get(name)
        return target.sections.properties.get(name), assigned[1] if assigned is not None else None

    def _shares(self, link: Link) -> list[tuple[str, float, float]]:
        """(property, what is asked for, what there is), as far as it is known."""
        target = link.target
        if target is None or not link.capability:
            return []
        found = []
        for name, (key, node) in link.allocation.items():
            definition, assigned = self._definition(target, link.capability, name)
            shape = self._functions.entities.definitions.schema_shape(definition.schema) if definition is not None else None
            if definition is None or shape is None or shape.base not in ("integer", "float", "scalar"):
                known = target.sections.capabilities[link.capability].properties
                problem = f"{target.name}.{link.capability} has no number {name} to allocate"
                link.document.reading.error("S230", problem, key.mark, did_you_mean(name, known))
                continue
            chosen = assigned if assigned is not None else definition.default
            asked = self.static(self._functions.values.defined(node, definition, Context(link.document, link.source, link), f"allocation {name}"))
            there = self.static(self._functions.values.anything(chosen, Context(target.document, target))) if chosen is not None else MISSING
            one, other = (semantics.comparable(v, shape.base, shape.units) for v in (asked, there))
            if isinstance(one, (int, float)) and isinstance(other, (int, float)):
                found.append((name, one, other))
        return found

    def room(self, link: Link) -> bool:
        """Whether the target has room for what the link allocates."""
        target = link.target
        if target is None or target.counted:
            return True
        return all(self._allocated.get((id(target), link.capability, n), 0) + asked <= there for n, asked, there in self._shares(link))

    def allocate(self, link: Link) -> None:
        """Take the link's share; too much is reported."""
        target = link.target
        if target is None or not link.allocation:
            return
        for name, asked, there in self._shares(link):
            key = (id(target), link.capability, name)
            self._allocated[key] = self._allocated.get(key, 0) + asked
            if self._allocated[key] > there and not target.counted:
                problem = f"{target.name}.{link.capability} has {there} of {name}, and {self._allocated[key]} are allocated"
                link.document.reading.error("S253", problem, link.allocation[name][0].mark)
