"""``evaluate``: a template and its parameters become one desired state; everything wrong is reported in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stackengine.evaluate.building import Building
from stackengine.evaluate.flatten import Flattening
from stackengine.evaluate.heat_attributes import check_attributes
from stackengine.evaluate.kinds import Kinds, Missing
from stackengine.evaluate.levels import Level
from stackengine.evaluate.nested import PLACEHOLDER
from stackengine.evaluate.outside import Outside
from stackengine.evaluate.parameters import Given
from stackengine.evaluate.written import Written, nested_as_written, refers_to_something, write_down
from stackengine.model.desired import Desired, DesiredOutput, Scope
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark
from stackengine.model.template import Output, Template
from stackengine.model.values import SecretRef, Value, has_sensitive, has_unknown, reveal, unknowns
from stackengine.registry import Registry, aws_types, heat_schema


def _nothing(_resource: str) -> set[str]:
    return set()


@dataclass(frozen=True, slots=True)
class Environment:
    """What environment files add; later files win."""

    parameters: dict[str, Any] = field(default_factory=dict)
    parameter_defaults: dict[str, Any] = field(default_factory=dict)
    outside: Outside | None = None
    """What other stacks say: exports, outputs, records; None: not known here."""
    marks: dict[str, Mark] = field(default_factory=dict)
    """Where the values stand, by parameter."""
    restricted: Callable[[str], set[str]] = _nothing
    """What may not be done to a resource of this name: ``replace``, ``update``."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The desired state and the parameters as bound (sensitive ones wrapped)."""

    desired: Desired
    parameters: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Explored:
    """What a template says in its own language, however much of it is right."""

    evaluated: Evaluated
    """The native side, as far as types are supported."""
    written: dict[str, Written]
    """Every resource that applies, with the names of its language; nested ones by path."""
    levels: dict[str, Level]
    """Templates by scope."""
    conditions: dict[str, dict[str, Value]]
    """The value of every condition, by scope."""
    outputs: dict[str, DesiredOutput]
    """With the names of the language."""
    nested: dict[str, Written]
    """What is nested, by path: stacks, groups, chains."""


def evaluate(
    template: Template, given: Mapping[str, Any], registry: Registry, *, stack_name: str, stack_id: str, diagnostics: Diagnostics,
    environment: Environment | None = None, previous: Mapping[str, Scope] | None = None, missing: Missing = "refuse",
) -> Evaluated | None:  # fmt: skip
    """The desired state of ``template``; None when ``diagnostics`` got errors.

    ``previous``: the scopes of the revision that is up, whose groups keep their members. ``missing``: what becomes of types that are not supported.
    """
    found = explore(
        template, given, registry, stack_name=stack_name, stack_id=stack_id, diagnostics=diagnostics, native=diagnostics, environment=environment,
        previous=previous, missing=missing,
    )  # fmt: skip
    return None if diagnostics.errors else found.evaluated


def explore(
    template: Template, given: Mapping[str, Any], registry: Registry, *, stack_name: str, stack_id: str, diagnostics: Diagnostics, native: Diagnostics,
    environment: Environment | None = None, previous: Mapping[str, Scope] | None = None, missing: Missing = "tell",
) -> Explored:  # fmt: skip
    """Everything that can be said of ``template``, also when it has errors.

    What is wrong in the language goes to ``diagnostics``, what is wrong with native types and their properties to ``native``.
    """
    env = environment or Environment()
    run = Flattening(diagnostics, env, previous or {})
    level = run.root(template, Given({**env.parameters, **given}, {n: m for n, m in env.marks.items() if n not in given}), (stack_name, stack_id))
    parameters = level.bound()
    _immutable(template, parameters, run, diagnostics)
    everything = list(run.everything(level))
    written = {placed.path: write_down(placed, run) for placed in everything}
    written = {path: _checked(w, registry, diagnostics) for path, w in written.items()}
    conditions = {path: below.decided() for path, below in run.levels.items()}
    outputs = {o.name: out for o in template.outputs.values() if (out := _output(o, level, run)) is not None}
    kinds = Kinds(registry, native, missing)
    if template.heat:
        check_attributes(written, [o.value for o in outputs.values()], kinds, diagnostics)
    building = Building(written, registry, kinds, native)
    resources = building.resources()
    scopes = {"": Scope("", template.language, parameters), **run.scopes}
    desired = Desired(
        resources, {n: building.output(o) for n, o in outputs.items()}, scopes, template.description, extra=_exports(template, level, run, outputs)
    )  # fmt: skip
    nested = {p: nested_as_written(placed, run) for p, placed in list(run.placed.items()) if p not in written}
    for w in nested.values():
        if w.type.startswith("OS::Heat::") and w.placed.level.template.heat:  # the count is looked at where members are counted
            known_to_heat(replace(w, properties={k: v for k, v in w.properties.items() if k != "count"}), registry, diagnostics)
    return Explored(Evaluated(desired, parameters), written, run.levels, conditions, outputs, nested)


def _checked(written: Written, registry: Registry, diagnostics: Diagnostics) -> Written:
    """``written`` checked against the schema of its own language, where that has one."""
    template = written.placed.level.template
    if template.heat:
        return known_to_heat(written, registry, diagnostics)
    return known_to_aws(written, registry, diagnostics) if template.language == "cfn" else written


def _also(written: Written, registry: Registry) -> set[str]:
    """Properties that a native type has besides, under the foreign name or its own."""
    dialect = registry.dialect(written.type)
    info = registry.get(dialect.native) if dialect is not None else None
    return {*(dialect.properties if dialect is not None else ()), *(info.properties if info is not None else ())}


def known_to_aws(written: Written, registry: Registry, diagnostics: Diagnostics) -> Written:
    """``written`` checked against AWS's schema of its type; what launch templates bring is checked where it stands."""
    schema = aws_types().get(written.type)
    if schema is None or written.placed.resource.computed is not None:
        return written
    from stackengine.evaluate.aws_schema import AwsCheck

    check = AwsCheck(written.path, written.placed.resource, _also(written, registry), diagnostics)
    fine = check.properties(written.properties, schema)
    if not check.faulty:
        return written
    return replace(written, checked=written.checked if written.checked is not None else fine, faulty=True)


def known_to_heat(written: Written, registry: Registry, diagnostics: Diagnostics) -> Written:
    """``written`` checked against Heat's schema of its type, where Heat has one; what a native type has besides may be said, too."""
    schema = heat_schema(written.type)
    if schema is None:
        return written
    if written.type == PLACEHOLDER:
        return replace(written, checked={n: v for n, v in written.properties.items() if n in _also(written, registry)})
    from stackengine.evaluate.heat_schema import HeatCheck, typed_value

    check = HeatCheck(written.path, written.placed.resource, _also(written, registry), diagnostics)
    known = schema["p"] if written.type != "OS::Heat::Value" else typed_value(schema["p"], written.properties.get("type"))
    checked = check.properties(written.properties, known)
    return replace(written, checked=checked, faulty=check.faulty)


def _immutable(template: Template, parameters: Mapping[str, Value], run: Flattening, diagnostics: Diagnostics) -> None:
    """P106 for a parameter that is ``immutable`` in this template and has another value than in the revision that is up (Heat: stack update)."""
    before = run.previous.get("")
    if before is None:
        return
    for name, parameter in template.parameters.items():
        if not parameter.immutable or name not in before.parameters or name not in parameters:
            continue
        old, new = before.parameters[name], parameters[name]
        if has_unknown(old) or has_unknown(new) or isinstance(old, SecretRef):
            continue
        if reveal(old) != reveal(new):
            what = f"the parameter {name} is immutable: the stack was made with another value"
            mark = run.environment.marks.get(name, parameter.mark)
            diagnostics.error("P106", what, mark, "give it the value that it had" if parameter.sensitive else f"it was {reveal(old)!r}")


def _exports(template: Template, level: Level, run: Flattening, outputs: Mapping[str, DesiredOutput]) -> dict[str, Any]:
    """What other stacks may use, and what this one uses of theirs."""
    names = {n: level.value(o.export) for n, o in template.outputs.items() if n in outputs and o.export is not None}
    exports: dict[str, str] = {}
    for n, v in names.items():
        if not has_unknown(v) and exports.setdefault(str(reveal(v)), n) != n:
            what = f"the outputs {exports[str(reveal(v))]} and {n} are both exported as {reveal(v)}"
            run.diagnostics.error("C175", what, template.outputs[n].mark, "names of exports are unique")
    return {**({"exports": exports} if exports else {}), **({"imports": sorted(run.imports)} if run.imports else {})}


def _output(output: Output, level: Level, run: Flattening) -> DesiredOutput | None:
    if output.condition is not None and not level.holds(output.condition):
        return None
    value = level.output_or_faulty(output.name)
    for unknown in unknowns(value):
        for reference in unknown.refs():
            refers_to_something(reference, run)
    return DesiredOutput(output.name, value, output.description, output.sensitive or has_sensitive(value), output.mark)
