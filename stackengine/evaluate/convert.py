"""A template in another language: types and properties become the native ones, which are the same in all three; parameters stay parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from stackengine.evaluate.convert_mappings import Lookups
from stackengine.evaluate.evaluator import PENDING, EvaluationError, Evaluator
from stackengine.evaluate.functions.cloudformation import NamedMapping
from stackengine.evaluate.implied import kept_with
from stackengine.evaluate.kinds import Kinds
from stackengine.evaluate.lower import Lowering
from stackengine.evaluate.marks import property_marks
from stackengine.evaluate.nested import PLACEHOLDER, Placed
from stackengine.evaluate.translate import Translator
from stackengine.evaluate.written import Written
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Call, Entry, Expr, List, Literal, Map, Param, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import Language, Output, Resource, Template
from stackengine.model.values import FAULTY, OMIT, Unknown, Value
from stackengine.registry import Registry

if TYPE_CHECKING:
    from stackengine.evaluate.levels import Level
    from stackengine.sdk import Implied

VERSIONS: dict[Language, str] = {"hot": "2021-04-16", "cfn": "2010-09-09", "tosca": "2.0"}


def converted(template: Template, to: Language, registry: Registry, diagnostics: Diagnostics) -> Template:
    """``template`` with native names, as a template of the language ``to``; what is wrong with it is reported."""
    symbols, lookups = _Symbols(template, diagnostics), Lookups(template, to)
    kinds = Kinds(registry, diagnostics, "refuse")
    written = {r.logical_id: _as_written(r, symbols) for r in template.resources.values()}
    lowering, translator = Lowering(written, kinds), Translator(diagnostics)

    def lowered(expr: Expr) -> Expr:
        return lookups(expr_of(lowering.value(symbols.said(expr)), expr.mark))

    resources: dict[str, Resource] = {}
    for resource in template.resources.values():
        if template.language == "tosca":
            _refuse_computed_units(resource, written[resource.logical_id].properties, kinds, diagnostics)
        values = {k: lowering.value(v) for k, v in written[resource.logical_id].properties.items()}
        for made in _resources(resource, values, kinds, translator):
            metadata = lowered(made.metadata) if made.metadata is not None else None
            external = lowered(made.external_id) if made.external_id is not None else None
            resources[made.logical_id] = replace(made, properties=lookups.properties(made.properties), metadata=metadata, external_id=external)
    outputs = {n: _output(o, lowered) for n, o in template.outputs.items()}
    conditions = {n: lookups(c) for n, c in template.conditions.items()}
    return replace(
        template, language=to, version=VERSIONS[to], resources=resources, outputs=outputs, conditions=conditions,
        parameters={**template.parameters, **lookups.parameters}, mappings=lookups.mappings, groups=(), sources=(),
    )  # fmt: skip


def _as_written(resource: Resource, symbols: _Symbols) -> Written:
    """A resource for looking its names up; it stands in no level, as nothing of it is evaluated."""
    name = resource.logical_id
    placed = Placed(name, resource, cast("Level", None), "", resource.policies)
    return Written(name, resource.type, {e.key: symbols.said(e.value) for e in resource.properties.entries}, None, None, "", resource.policies, (), placed)


def _resources(resource: Resource, values: dict[str, Value], kinds: Kinds, translator: Translator) -> list[Resource]:
    """A resource with native names, and before it those that it has for itself alone."""
    if resource.nested is not None:
        return [resource]
    found = kinds.of(resource)
    if found is None:
        return []
    info, dialect = found
    values = {k: v for k, v in values.items() if v is not None and v is not OMIT}
    if resource.type == PLACEHOLDER or resource.stands_for:  # what means nothing to the native type stays behind, as when it is evaluated
        values = {k: v for k, v in values.items() if dialect is None or k in dialect.properties or k in info.properties}
    marks = property_marks(resource.properties)
    native, at, _ = translator.properties(resource, info, dialect, values, marks)
    own = [_own(resource, implied, native) for implied in info.handler.implies(native) if implied.own]
    entries = tuple(Entry(k, at.get(k, resource.mark), expr_of(v, at.get(k, resource.mark))) for k, v in native.items())
    return [*own, replace(resource, type=info.name, properties=Map(entries, resource.properties.mark))]


def _own(resource: Resource, implied: Implied, native: dict[str, Value]) -> Resource:
    """What a resource brings for itself alone, under a name that every language takes; ``native`` refers to it from then on."""
    name = resource.logical_id + "".join(part.capitalize() for part in re.findall(r"[A-Za-z0-9]+", implied.path))
    reference = Unknown(Ref(name, resource.mark))
    native[implied.via] = implied.shape(reference) if implied.shape is not None else reference
    properties = expr_of(implied.properties, resource.mark)
    assert isinstance(properties, Map)
    policies = kept_with(resource.policies, keep=implied.keep)
    return Resource(name, implied.type, properties, policies=policies, condition=resource.condition, mark=resource.mark, type_mark=resource.type_mark)


def _refuse_computed_units(resource: Resource, values: Mapping[str, Value], kinds: Kinds, diagnostics: Diagnostics) -> None:
    """A size with a unit that is worked out of parameters: native types take plain numbers, and no language can say the division."""
    dialect = kinds.dialect(resource.stands_for or resource.type)
    for name, conversion in dialect.properties.items() if dialect is not None else ():
        if conversion.decode in ("gib", "mib", "guest_mib") and isinstance(values.get(name), Unknown) and not isinstance(values[name].expr, Param):
            summary = f"{resource.logical_id}.{name} is worked out with a unit, which native types do not have"
            diagnostics.error("T201", summary, resource.mark, "give it as a plain number")


def _output(output: Output, lowered: Any) -> Output:
    return replace(output, value=lowered(output.value), export=lowered(output.export) if output.export is not None else None)


def expr_of(value: Value, mark: Mark) -> Expr:
    """A value as an expression, its lists and mappings as what a reader would make of them."""
    if isinstance(value, Unknown):
        return opened(value.expr, mark)
    if isinstance(value, dict):
        return Map(tuple(Entry(str(k), mark, expr_of(v, mark)) for k, v in value.items() if v is not OMIT), mark)
    if isinstance(value, list):
        return List(tuple(expr_of(v, mark) for v in value if v is not OMIT), mark)
    return Literal(value, mark)


def opened(expr: Expr, mark: Mark) -> Expr:
    """``expr`` with literal lists and mappings as lists and mappings of literals."""
    if isinstance(expr, Literal) and isinstance(expr.value, (list, dict)) and not isinstance(expr.value, NamedMapping):
        return expr_of(expr.value, mark)
    if isinstance(expr, Call):
        return Call(expr.fn, tuple(opened(a, mark) for a in expr.args), expr.mark)
    return expr


class _AllUnknown(Mapping[str, Value]):
    """Every parameter is known only later."""

    def __getitem__(self, name: str) -> Value:
        return Unknown(Param(name))

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1  # never empty: whatever is asked for is there


class _Symbols(Evaluator):
    """Evaluates with parameters, conditions and resources as symbols: what is left is the template without its spelling."""

    def __init__(self, template: Template, diagnostics: Diagnostics) -> None:
        super().__init__(lambda _path, _attribute: PENDING, _AllUnknown(), template.conditions, template.mappings)
        self._diagnostics = diagnostics

    def condition(self, name: str, mark: Mark) -> Value:
        """A named condition stays one."""
        return Unknown(Call("condition", (Literal(name, mark),), mark))

    def said(self, expr: Expr) -> Value:
        """The value of ``expr``; FAULTY where it has none, which is reported."""
        try:
            return self.value(expr)
        except EvaluationError as error:
            self._diagnostics.error("R103", str(error), error.mark)
            return FAULTY



