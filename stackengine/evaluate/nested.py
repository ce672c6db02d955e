"""What a nested template, a group or a chain is in the flat graph, and what references to it mean.

Sources: Heat's StackResource, TemplateResource, ResourceGroup and ResourceChain (attributes, ``removal_policies``, names of members);
CloudFormation's AWS::CloudFormation::Stack (``Outputs.NAME``); TOSCA 2.0 chapter 15 (substitution mappings).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stackengine.evaluate.evaluator import dig, to_expr
from stackengine.evaluate.members import chosen_members, keys_of, with_index
from stackengine.evaluate.parameters import Passed
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Nested, Policies, Resource
from stackengine.model.values import FAULTY, Unknown, Value, has_unknown, reveal, waits_for_resources
from stackengine.registry import heat_types

PLACEHOLDER = "OS::Heat::None"
"""What environment files put in the place of a type that is left out: it takes any properties, and every attribute of it is null (heat, none_resource.py)."""

if TYPE_CHECKING:
    from stackengine.evaluate.levels import Level


class Placed:
    """A resource that applies, at its path; its expressions belong to ``level``."""

    def __init__(self, path: str, resource: Resource, level: Level, scope: str, policies: Policies, waits: tuple[DependsOn, ...] = ()) -> None:
        self.path, self.resource, self.level, self.scope, self.policies = path, resource, level, scope, policies
        self.waits = waits
        """Explicit dependencies that come from what this one is nested in; targets are full paths."""
        self.index: tuple[str, str] | None = None
        """(text, key) to be put into the values of a group's member."""

    def reference(self, mark: Mark) -> Value:
        """What a bare reference gives."""
        return Unknown(Ref(self.path, mark))

    def attribute(self, path: list[Value], mark: Mark) -> Value:
        """What an attribute gives, by the name that the template's language has for it; without a name, all that Heat's type has, by name (HOT)."""
        if self.resource.type == PLACEHOLDER:
            self.level.run.asked_placeholders.add(self.path)
            return None
        if not path:
            known = heat_types().get(self.resource.type)
            if known is None:
                what = f"all attributes of {self.path} ({self.resource.type}) cannot be had at once"
                self.level.run.diagnostics.error("R113", what, mark, "name the attribute that is meant")
                return FAULTY
            return {n: self.attribute([n], mark) for n in known["a"] if n != "show"}
        return Unknown(Attr(self.path, tuple(map(to_expr, path)), mark))

    def inside(self) -> Iterator[Placed]:
        """Every ordinary resource that this one stands for."""
        yield self

    def value(self, expr: Expr) -> Value:
        """The value of one of its expressions."""
        value = self.level.value(expr)
        return with_index(value, *self.index) if self.index is not None else value

    def below(self, resource: Resource) -> tuple[DependsOn, ...]:
        """What everything inside this one waits for."""
        return (*self.waits, *(DependsOn(self.level.full(d.target), d.mark) for d in resource.depends_on))


class PlacedStack(Placed):
    """A resource that is a template of its own."""

    @cached_property
    def child(self) -> Level:
        """The child's level; names that it does not know are reported when it is first looked at."""
        nested = self._nested()
        assert nested.template is not None, f"{self.path} is nested without a template"
        bindings = nested.bindings if nested.bindings is not None else self.resource.properties
        mark = self.resource.mark
        key = self.path.rpartition("/")[2]
        part = key if self.scope == self.level.path else f"{self.scope.rpartition('/')[2]}-{key}"
        names = (f"{self.level.stack_name}-{part}", f"{self.level.stack_id}/{part}")
        return self.level.run.level(self, nested.template, Passed(self.path, bindings, self.value, mark), names)

    def _nested(self) -> Nested:
        assert self.resource.nested is not None
        return self.resource.nested

    def inside(self) -> Iterator[Placed]:
        """Everything in the child."""
        for name in self.child.template.resources:
            placed = self.child.placed(name)
            if placed is not None:
                yield from placed.inside()

    def reference(self, mark: Mark) -> Value:
        """The scope's id, once everything in it is there; or what the child says."""
        nested = self._nested()
        if nested.ref is not None:
            return self.child.value(nested.ref)
        if "OS::stack_id" in self.child.template.outputs:
            return self.child.output("OS::stack_id")
        arn = self.level.template.language == "cfn"
        return after(self.child.parameters["AWS::StackId" if arn else "OS::stack_id"], self, mark)

    def attribute(self, path: list[Value], mark: Mark) -> Value:
        """An output, something inside, or a fact of the scope; without a name, all outputs."""
        nested, child = self._nested(), self.child
        if not path:
            return {n: child.output(n) for n in child.template.outputs}
        if has_unknown(path[0]):
            self.level.run.diagnostics.error("R106", f"which attribute of {self.path} is meant is known only after apply", mark)
            return FAULTY
        first, rest = str(reveal(path[0])), path[1:]
        if first in nested.attributes:
            return dig(child.value(nested.attributes[first]), rest)
        if first in child.template.outputs:
            return dig(child.output(first), rest)
        section, dot, name = first.partition(".")
        if section in ("outputs", "Outputs") and dot:
            return self._output(name, rest, mark)
        if section in ("outputs", "Outputs"):
            return self._output(str(reveal(rest[0])), rest[1:], mark) if rest else {n: child.output(n) for n in child.template.outputs}
        if section == "resource":
            return self._within([*([name] if dot else []), *rest], mark)
        if first in ("stack_name", "stack_id", "OS::stack_id"):
            return child.parameters[f"OS::{first.removeprefix('OS::')}"]
        known = [*child.template.outputs, *nested.attributes]
        self.level.run.diagnostics.error("N109", f"{self.path} has no output {first}", mark, did_you_mean(first, known) or ", ".join(known))
        return FAULTY

    def _output(self, name: str, rest: list[Value], mark: Mark) -> Value:
        outputs = self.child.template.outputs
        if name not in outputs:
            self.level.run.diagnostics.error("N109", f"{self.path} has no output {name}", mark, did_you_mean(name, outputs) or ", ".join(outputs))
            return FAULTY
        return dig(self.child.output(name), rest)

    def _within(self, path: list[Value], mark: Mark) -> Value:
        """``resource.NAME[.ATTRIBUTE]``."""
        name, *rest = split_first(path)
        found = self.child.placed(name)
        if found is None:
            known = self.child.template.resources
            if name not in known:
                self.level.run.diagnostics.error("N110", f"{self.path} has no resource {name} inside", mark, did_you_mean(name, known))
                return FAULTY
            return None
        return found.attribute(rest, mark) if rest else found.reference(mark)


class PlacedGroup(Placed):
    """A group or a chain: members by stable key."""

    @cached_property
    def keys(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(keys of the members, keys that were taken out)."""
        nested, run = self.resource.nested, self.level.run
        assert nested is not None
        with run.trail.enter(f"members of {self.path}", nested.mark):
            if nested.types is not None:
                return tuple(str(n) for n in range(len(self._types(nested.types)))), ()
            if nested.kind == "chain":
                return tuple(str(n) for n in range(len(nested.members))), ()
            if nested.each is not None:
                return keys_of(self.path, nested.each, self.level.value, run.diagnostics), ()
            return chosen_members(self.path, nested, self.level.value, run.previous.get(self.path), run.diagnostics)

    @cached_property
    def members(self) -> dict[str, Placed]:
        """The members by key."""
        nested, run = self.resource.nested, self.level.run
        assert nested is not None
        found: dict[str, Placed] = {}
        waits = self.below(self.resource)
        serial = nested.kind == "chain" and not (nested.concurrent is not None and self.level.value(nested.concurrent) in (True, "true", "True"))
        for number, key in enumerate(self.keys[0]):
            path = f"{self.path}/{key}"
            definition = self._definition(nested, number)
            member = indexed(replace(definition, logical_id=key), nested.index_variable, key)
            before = (DependsOn(f"{self.path}/{number - 1}", nested.mark),) if serial and number else ()
            found[key] = run.place(path, member, self.level, scope=self.path, outer=self.policies, waits=(*waits, *before))
            if nested.index_variable:
                found[key].index = (nested.index_variable, key)
        return found

    def _definition(self, nested: Nested, number: int) -> Resource:
        if nested.types is None:
            return nested.members[number if nested.kind == "chain" else 0]
        name = self._types(nested.types)[number]
        found = next((m for m in nested.members if m.logical_id == name), None)
        if found is not None:
            return found
        shared, mark = self.resource.properties.get("resource_properties"), nested.types.mark
        return Resource(name, name, shared if isinstance(shared, Map) else Map((), mark), mark=mark, type_mark=mark)

    def _types(self, types: Expr) -> list[str]:
        """The types of a chain's links where they are computed (H142 where that gives no list of them)."""
        value, run = reveal(self.level.value(types)), self.level.run
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return list(value)
        if value is not FAULTY and not (isinstance(value, Unknown) and not waits_for_resources(value)) and value is not None:
            run.diagnostics.error("H142", f"{self.path}: resources must be a list of types that is known before apply", types.mark)
        return []

    def inside(self) -> Iterator[Placed]:
        """Everything in every member."""
        for member in self.members.values():
            yield from member.inside()

    def reference(self, mark: Mark) -> Value:
        """The scope's id, once every member is there."""
        return after(f"{self.level.stack_id}/{self.resource.logical_id}", self, mark)

    def attribute(self, path: list[Value], mark: Mark) -> Value:
        """``refs``, ``resource.KEY.x``, ``attributes.x`` and so on, or the list of an attribute over all members."""
        if not path:
            return {n: self.attribute([n], mark) for n in ("refs", "refs_map", "removed_rsrc_list", "current_size")}
        if has_unknown(path[0]):
            self.level.run.diagnostics.error("R106", f"which attribute of {self.path} is meant is known only after apply", mark)
            return FAULTY
        nested = self.resource.nested
        assert nested is not None
        if str(reveal(path[0])) in nested.plural:
            member = nested.plural[str(reveal(path[0]))]
            return dig({k: m.attribute([member], mark) for k, m in self.members.items()}, path[1:])
        if str(reveal(path[0])) in nested.joined:
            each = [m.attribute([nested.joined[str(reveal(path[0]))]], mark) for m in self.members.values()]
            return Unknown(Call("join", (Literal(","), to_expr(each)), mark)) if each else ""
        first, dot, more = str(reveal(path[0])).partition(".")
        rest: list[Value] = [*([more] if dot else []), *path[1:]]
        match first:
            case "refs":
                return dig([m.reference(mark) for m in self.members.values()], rest)
            case "refs_map":
                return dig({k: m.reference(mark) for k, m in self.members.items()}, rest)
            case "attributes" | "outputs" if rest:
                return {k: m.attribute(rest, mark) for k, m in self.members.items()}
            case "outputs_list" if rest:
                return [m.attribute(rest, mark) for m in self.members.values()]
            case "resource" if rest:
                return self._member(rest, mark)
            case "removed_rsrc_list":
                return list(self.keys[1])
            case "current_size":
                return len(self.members)
            case _ if nested.each is not None:
                return {k: m.attribute(path, mark) for k, m in self.members.items()}
            case _:
                return [m.attribute(path, mark) for m in self.members.values()]

    def _member(self, path: list[Value], mark: Mark) -> Value:
        key, *rest = split_first(path)
        found = self.members.get(key)
        if found is None:
            known = ", ".join([*self.members][:8]) or "none"
            self.level.run.diagnostics.error("N110", f"{self.path} has no member {key}", mark, f"its members: {known}")
            return FAULTY
        return found.attribute(rest, mark) if rest else found.reference(mark)


def split_first(path: list[Value]) -> list[Any]:
    """``["0.ip", "x"]`` as ``["0", "ip", "x"]``."""
    name, dot, more = str(reveal(path[0])).partition(".")
    return [name, *([more] if dot else []), *path[1:]]


def after(value: Value, placed: Placed, mark: Mark) -> Value:
    """``value``, once everything that ``placed`` stands for is there."""
    refs = tuple(Ref(p.path, mark) for p in placed.inside())
    return Unknown(Call("after", (Literal(value), List(refs)), mark)) if refs else value


def indexed(resource: Resource, variable: str, key: str) -> Resource:
    """A member's definition with its key put in."""
    if not variable:
        return resource
    nested = resource.nested
    if nested is not None and nested.bindings is not None:
        nested = replace(nested, bindings=index_in(nested.bindings, variable, key))
    if nested is not None and nested.members:
        nested = replace(nested, members=tuple(indexed(m, variable, key) for m in nested.members))
    properties = index_in(resource.properties, variable, key)
    assert isinstance(properties, Map)
    metadata = index_in(resource.metadata, variable, key) if resource.metadata is not None else None
    return replace(resource, properties=properties, metadata=metadata, nested=nested)


def index_in(expr: Expr, variable: str, key: str) -> Expr:
    """``expr`` with ``variable`` replaced in all its text, so that ``get_param: [names, "%index%"]`` works, too."""
    match expr:
        case Literal(value=value, mark=mark):
            return Literal(with_index(value, variable, key), mark)
        case Map(entries=entries, mark=mark):
            return Map(tuple(e._replace(key=e.key.replace(variable, key), value=index_in(e.value, variable, key)) for e in entries), mark)
        case List(items=items, mark=mark):
            return List(tuple(index_in(i, variable, key) for i in items), mark)
        case Attr(target=target, path=path, mark=mark):
            return Attr(target, tuple(index_in(p, variable, key) for p in path), mark)
        case Call(fn=fn, args=args, mark=mark):
            return Call(fn, tuple(index_in(a, variable, key) for a in args), mark)
        case If(condition=condition, then=then, otherwise=otherwise, mark=mark):
            return If(index_in(condition, variable, key), index_in(then, variable, key), index_in(otherwise, variable, key), mark)
        case _:
            return expr

