"""``evaluate``: a template and its parameters become one desired state; everything wrong is reported in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stackengine.evaluate.bind import bind
from stackengine.evaluate.complete import complete
from stackengine.evaluate.evaluator import PENDING, EvaluationError, Evaluator
from stackengine.evaluate.references import check_reference, dependencies_of, report_cycles
from stackengine.evaluate.translate import Translator
from stackengine.evaluate.validate import Validator, with_defaults
from stackengine.model.desired import Dependency, Desired, DesiredOutput, DesiredResource, Scope
from stackengine.model.diagnostics import Diagnostic, Diagnostics, did_you_mean
from stackengine.model.expr import Expr, List, Map, Ref
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Output, Resource, Template
from stackengine.model.values import OMIT, Unknown, Value, has_sensitive, has_unknown, reveal, unknowns
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
    environment: Environment | None = None,
) -> Evaluated | None:  # fmt: skip
    """The desired state of ``template``; None when ``diagnostics`` got errors."""
    env = environment or Environment()
    parameters = bind(template, {**env.parameters, **given}, env.parameter_defaults, diagnostics)
    job = _Evaluation(template, parameters, pseudo_parameters(stack_name, stack_id), registry, diagnostics)
    desired = job.desired()
    return None if diagnostics.errors else Evaluated(desired, parameters)


def pseudo_parameters(stack_name: str, stack_id: str) -> dict[str, Value]:
    """Heat's and CloudFormation's pseudo parameters."""
    arn = f"arn:aws:cloudformation:local:000000000000:stack/{stack_name}/{stack_id}"
    return {
        "OS::stack_name": stack_name, "OS::stack_id": stack_id, "OS::project_id": "local",
        "AWS::StackName": stack_name, "AWS::StackId": arn, "AWS::Region": "local", "AWS::AccountId": "000000000000",
        "AWS::Partition": "aws", "AWS::URLSuffix": "localdomain", "AWS::NotificationARNs": [],
    }  # fmt: skip


class _Evaluation:
    """One run over a template."""

    def __init__(
        self, template: Template, parameters: dict[str, Value], pseudo: dict[str, Value], registry: Registry, diagnostics: Diagnostics
    ) -> None:
        self.template, self.registry, self.diagnostics = template, registry, diagnostics
        self.translator = Translator(template, registry, diagnostics)
        self.validator = Validator()
        self.types: dict[str, ResourceTypeInfo] = {}
        self.parameters = parameters
        self.left_out: set[str] = set()
        self.evaluator = Evaluator(self._lookup, {**pseudo, **parameters}, template.conditions, template.mappings)

    def _lookup(self, path: str, _attribute: str | None) -> Value:
        return None if path in self.left_out else PENDING

    def desired(self) -> Desired:
        """Every resource that applies, and the outputs."""
        present = self._present()
        resources: dict[str, DesiredResource] = {}
        for resource, info, dialect in present:
            made = self._resource(resource, info, dialect)
            resources[made.path] = made
        for made in list(resources.values()):
            complete(made, self.types[made.path], resources)
            self._imply(made, resources)
        for path, made in resources.items():
            resources[path] = self._linked(made, resources)
        report_cycles(resources, self.diagnostics)
        outputs = {o.name: out for o in self.template.outputs.values() if (out := self._output(o)) is not None}
        scope = Scope("", self.template.language, self.parameters)
        return Desired(resources, outputs, {"": scope}, self.template.description)

    def _present(self) -> list[tuple[Resource, ResourceTypeInfo, Dialect | None]]:
        """Resources whose condition holds and whose type is known."""
        found = []
        for resource in self.template.resources.values():
            if resource.condition is not None and not self._holds(resource.condition):
                self.left_out.add(resource.logical_id)
                continue
            known = self.translator.info(resource)
            if known is not None:
                self.types[resource.logical_id] = known[0]
                found.append((resource, *known))
        return found

    def _holds(self, condition: Expr) -> bool:
        value = self._value(condition)
        if has_unknown(value):
            self.diagnostics.error("R106", "a condition cannot depend on what is known only after apply", condition.mark)
            return False
        return bool(reveal(value))

    def _value(self, expr: Expr) -> Value:
        try:
            return self.evaluator.value(self.translator.reference(expr))
        except EvaluationError as error:
            known = [*self.parameters] if "parameter" in str(error) else [*self.template.conditions]
            self.diagnostics.error("R103", str(error), error.mark, did_you_mean(str(error).rsplit(" ", 1)[-1], known))
            return None
        except RecursionError:
            self.diagnostics.error("R107", "this expression is nested too deeply", expr.mark)
            return None

    def _resource(self, resource: Resource, info: ResourceTypeInfo, dialect: Dialect | None) -> DesiredResource:
        values = {e.key: v for e in resource.properties.entries if (v := self._value(e.value)) is not None and v is not OMIT}
        marks = property_marks(resource.properties)
        native, placed = self.translator.properties(resource, info, dialect, values, marks)
        placed[""], placed["type"] = resource.mark, resource.type_mark
        properties = with_defaults(native, info.schema)
        return DesiredResource(
            resource.logical_id, info.name, properties, policies=resource.policies, foreign_type=resource.type,
            metadata=self._value(resource.metadata) if resource.metadata is not None else None,
            external_id=self._value(resource.external_id) if resource.external_id is not None else None, marks=placed,
            depends=tuple(Dependency(d.target, "ready", "depends_on", d.mark) for d in resource.depends_on if d.target not in self.left_out),
        )  # fmt: skip

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
        explicit = []
        for dependency in made.depends:
            if dependency.path in resources:
                explicit.append(dependency)
            else:
                hint = did_you_mean(dependency.path, resources)
                self.diagnostics.error("R102", f"there is no resource {dependency.path}", dependency.mark, hint)
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
        if output.condition is not None and not self._holds(output.condition):
            return None
        value = self._value(output.value)
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

