"""``evaluate``: a template and its parameters become one desired state; everything wrong is reported in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stackengine.evaluate.complete import complete
from stackengine.evaluate.flatten import Flattening
from stackengine.evaluate.levels import Level
from stackengine.evaluate.nested import Placed
from stackengine.evaluate.parameters import Given
from stackengine.evaluate.references import check_reference, dependencies_of, report_cycles
from stackengine.evaluate.validate import Validator, with_defaults
from stackengine.model.desired import Dependency, Desired, DesiredOutput, DesiredResource, Scope
from stackengine.model.diagnostics import Diagnostic, Diagnostics, did_you_mean
from stackengine.model.expr import Expr, List, Map, Ref
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Output, Template
from stackengine.model.values import OMIT, Unknown, Value, has_sensitive, unknowns
from stackengine.registry import Dialect, Registry, ResourceTypeInfo


@dataclass(frozen=True, slots=True)
class Environment:
    """What environment files add; later files win."""

    parameters: dict[str, Any] = field(default_factory=dict)
    parameter_defaults: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The desired state and the parameters as bound (sensitive ones wrapped)."""

    desired: Desired
    parameters: dict[str, Value]


def evaluate(
    template: Template, given: Mapping[str, Any], registry: Registry, *, stack_name: str, stack_id: str, diagnostics: Diagnostics,
    environment: Environment | None = None, previous: Mapping[str, Scope] | None = None,
) -> Evaluated | None:  # fmt: skip
    """The desired state of ``template``; None when ``diagnostics`` got errors.

    ``previous``: the scopes of the revision that is up, whose groups keep their members.
    """
    env = environment or Environment()
    run = Flattening(registry, diagnostics, env, previous or {})
    level = run.root(template, Given({**env.parameters, **given}), (stack_name, stack_id))
    parameters = level.bound()
    desired = _Evaluation(run, level).desired(parameters)
    return None if diagnostics.errors else Evaluated(desired, parameters)


class _Evaluation:
    """Builds the desired state from what a flattening placed."""

    def __init__(self, run: Flattening, root: Level) -> None:
        self.run, self.root = run, root
        self.registry, self.diagnostics, self.translator = run.registry, run.diagnostics, run.translator
        self.validator = Validator()
        self.types: dict[str, ResourceTypeInfo] = {}

    def desired(self, parameters: dict[str, Value]) -> Desired:
        """Every resource that applies, and the outputs."""
        present: list[tuple[Placed, ResourceTypeInfo, Dialect | None]] = []
        for placed in self.run.everything(self.root):
            known = self.translator.info(placed.resource)
            if known is not None:
                self.types[placed.path] = known[0]
                present.append((placed, *known))
        resources: dict[str, DesiredResource] = {}
        for placed, info, dialect in present:
            resources[placed.path] = self._resource(placed, info, dialect)
        for made in list(resources.values()):
            complete(made, self.types[made.path], resources)
            self._imply(made, resources)
        for path, made in resources.items():
            resources[path] = self._linked(made, resources)
        report_cycles(resources, self.diagnostics)
        outputs = {o.name: out for o in self.root.template.outputs.values() if (out := self._output(o)) is not None}
        scopes = {"": Scope("", self.root.template.language, parameters), **self.run.scopes}
        return Desired(resources, outputs, scopes, self.root.template.description)

    def _resource(self, placed: Placed, info: ResourceTypeInfo, dialect: Dialect | None) -> DesiredResource:
        resource = placed.resource
        values = {e.key: v for e in resource.properties.entries if (v := placed.value(e.value)) is not None and v is not OMIT}
        marks = property_marks(resource.properties)
        native, at = self.translator.properties(resource, info, dialect, values, marks)
        at[""], at["type"] = resource.mark, resource.type_mark
        return DesiredResource(
            placed.path, info.name, with_defaults(native, info.schema), policies=placed.policies, foreign_type=resource.type, scope=placed.scope,
            metadata=placed.value(resource.metadata) if resource.metadata is not None else None,
            external_id=placed.value(resource.external_id) if resource.external_id is not None else None, marks=at,
            depends=self._explicit(placed),
        )  # fmt: skip

    def _explicit(self, placed: Placed) -> tuple[Dependency, ...]:
        """``depends_on``, its own and of what it is nested in; a nested resource means everything in it."""
        found: dict[str, Dependency] = {}
        for wanted in placed.below(placed.resource):
            targets = self.run.targets(wanted.target)
            if targets is None:
                self.diagnostics.error("R102", f"there is no resource {wanted.target}", wanted.mark, did_you_mean(wanted.target, self.types))
            for path in targets or ():
                found.setdefault(path, Dependency(path, "ready", "depends_on", wanted.mark))
        return tuple(found.values())

    def _imply(self, made: DesiredResource, resources: dict[str, DesiredResource]) -> None:
        """Resources that this one brings; the property that brings one refers to it from then on."""
        for implied in self.types[made.path].handler.implies(made.properties):
            info = self.registry.get(implied.type)
            assert info is not None, f"{made.type} implies a {implied.type}, which is not installed"
            if implied.path not in resources:
                self.types[implied.path] = info
                marks = {"": made.mark_of(implied.via)}
                resources[implied.path] = DesiredResource(implied.path, info.name, with_defaults(implied.properties, info.schema), marks=marks)
            reference = Unknown(Ref(implied.path, made.mark_of(implied.via)))
            made.properties[implied.via] = implied.shape(reference) if implied.shape else reference

    def _linked(self, made: DesiredResource, resources: dict[str, DesiredResource]) -> DesiredResource:
        """Checked, with its dependency edges."""
        fine = True
        for value in made.properties.values():
            for unknown in unknowns(value):
                for reference in unknown.refs():
                    fine &= check_reference(reference, self.types, resources, self.diagnostics)
        explicit = [d for d in made.depends if d.path in resources]
        before = len(self.diagnostics)
        self.validator.check(made, self.types[made.path], self.diagnostics)
        if len(self.diagnostics) == before:
            self._rules(made)
        named = {d.path for d in explicit}
        inferred = [d for d in dependencies_of(made.properties, self.types, made.marks) if d.path in resources and d.path not in named]
        return replace(made, depends=(*inferred, *explicit)) if inferred or len(explicit) != len(made.depends) else made

    def _rules(self, made: DesiredResource) -> None:
        """The type's own rules between properties, once each of them is right by itself."""
        for refusal in self.types[made.path].handler.check(made.properties):
            where = f"{made.path}.{refusal.prop}" if refusal.prop else made.path
            mark = made.mark_of(refusal.prop)
            self.diagnostics.items.append(Diagnostic("V107", f"{where}: {refusal.reason}", mark, refusal.hint, refusal.severity))

    def _output(self, output: Output) -> DesiredOutput | None:
        if output.condition is not None and not self.root.holds(output.condition):
            return None
        value = self.root.output_or_faulty(output.name)
        for unknown in unknowns(value):
            for reference in unknown.refs():
                check_reference(reference, self.types, self.types, self.diagnostics)
        return DesiredOutput(output.name, value, output.description, output.sensitive or has_sensitive(value), output.mark)


def property_marks(properties: Map) -> dict[str, Mark]:
    """Marks by dotted path, as deep as the template keeps them."""
    marks: dict[str, Mark] = {}
    queue: list[tuple[str, Expr]] = [("", properties)]
    while queue:
        prefix, expr = queue.pop()
        if isinstance(expr, Map):
            for entry in expr.entries:
                path = f"{prefix}.{entry.key}" if prefix else entry.key
                marks[path] = entry.value.mark if entry.value.mark != NOWHERE else entry.key_mark
                queue.append((path, entry.value))
        elif isinstance(expr, List):
            for index, item in enumerate(expr.items):
                marks[f"{prefix}.{index}"] = item.mark
                queue.append((f"{prefix}.{index}", item))
    return marks

