"""One template in one scope: its parameters, conditions and outputs, and what its references mean in the one flat graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from stackengine.evaluate.evaluator import PENDING, EvaluationError, Evaluator, to_expr
from stackengine.evaluate.functions.text import to_text
from stackengine.evaluate.outside import AnswerError, answer
from stackengine.evaluate.parameters import Bindings, Parameters
from stackengine.evaluate.trail import ReportedError
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Attr, Call, Expr, Literal, Ref, walk
from stackengine.model.mark import Mark
from stackengine.model.template import DeletionPolicy, DependsOn, Output, Policies, Resource, Template
from stackengine.model.values import FAULTY, Sensitive, Unknown, Value, has_unknown, reveal, waits_for_resources

if TYPE_CHECKING:
    from stackengine.evaluate.flatten import Flattening
    from stackengine.evaluate.nested import Placed


DEFAULT_REGION = "local"
SETTABLE = ("AWS::StackName", "AWS::StackId", "AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::NotificationARNs")
"""Pseudo parameters that people may give a value."""


def pseudo_parameters(stack_name: str, stack_id: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """Heat's and CloudFormation's pseudo parameters; people may give those of CloudFormation another value."""
    region, account = str(given.get("AWS::Region", DEFAULT_REGION)), str(given.get("AWS::AccountId", "000000000000"))
    partition = str(given.get("AWS::Partition", "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"))
    suffix = "localdomain" if region == DEFAULT_REGION else "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    arn = f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack_name}/{stack_id}"
    return {
        "OS::stack_name": stack_name, "OS::stack_id": stack_id, "OS::project_id": "local",
        "AWS::StackName": stack_name, "AWS::StackId": arn, "AWS::Region": region, "AWS::AccountId": account,
        "AWS::Partition": partition, "AWS::URLSuffix": suffix, "AWS::NotificationARNs": [], **given,
    }  # fmt: skip


class Level:
    """One template, evaluated in one scope of a flattening."""

    def __init__(self, run: Flattening, path: str, template: Template, bindings: Bindings, names: tuple[str, str]) -> None:
        self.run, self.path, self.template = run, path, template
        self.stack_name, self.stack_id = names
        self.parameters = Parameters(
            template, path, bindings, run.environment.parameter_defaults, pseudo_parameters(*names, run.pseudo), run.trail, run.diagnostics, self.value
        )
        self.evaluator = _LevelEvaluator(self)
        self.inherited: tuple[Policies, tuple[DependsOn, ...]] = (Policies(), ())
        """Policies and explicit dependencies of what this level is nested in."""
        self.stands_for: Placed | None = None
        """The resource of the parent that this level is."""
        self._outputs: dict[str, Value] = {}
        self._placed: dict[str, Placed | None] = {}

    def full(self, name: str) -> str:
        """The path of a resource of this template."""
        return f"{self.path}/{name}" if self.path else name

    def bound(self) -> dict[str, Value]:
        """The value of every declared parameter; those without one are left out."""
        found: dict[str, Value] = {}
        for name in self.template.parameters:
            try:
                found[name] = self.parameters[name]
            except ReportedError:
                continue
        return found

    def decided(self) -> dict[str, Value]:
        """The value of every condition."""
        return {name: self.value(Call("condition", (Literal(name),), expr.mark)) for name, expr in self.template.conditions.items()}

    def placed(self, name: str) -> Placed | None:
        """A resource where its condition holds; None where not, or where there is none of this name."""
        if name not in self._placed:
            resource = self.template.resources.get(name)
            if resource is None:
                return None
            with self.run.trail.enter(f"resource {self.full(name)}", resource.mark):
                applies = resource.condition is None or self.holds(resource.condition)
            if not applies:
                self.run.left_out.add(self.full(name))
            self._placed[name] = self.run.place(self.full(name), resource, self) if applies else None
        return self._placed[name]

    def holds(self, condition: Expr) -> bool:
        """Whether a condition holds; one that nobody can know yet is refused, unless only a missing parameter stands in the way."""
        value = self.value(condition)
        if not has_unknown(value):
            return bool(reveal(value))
        if waits_for_resources(value):
            self.run.diagnostics.error("R106", "a condition cannot depend on what is known only after apply", condition.mark)
            return False
        return True

    def policies_of(self, resource: Resource) -> Policies:
        """A resource's policies, its deletion policy computed where it is an expression, with what environment files restrict."""
        if self.run.environment.restricted(resource.logical_id):
            resource = replace(resource, policies=replace(resource.policies, replace="never"))
        if resource.deletion is None:
            return resource.policies
        value = self.value(resource.deletion)
        if value is FAULTY or (has_unknown(value) and not waits_for_resources(value)):
            return resource.policies
        found = next((p for p in get_args(DeletionPolicy) if p.lower() == str(reveal(value)).lower()), None) if not has_unknown(value) else None
        if found is None:
            what = "cannot be known only after apply" if has_unknown(value) else f"is not {reveal(value)!r}"
            name, mark = self.full(resource.logical_id), resource.deletion.mark
            self.run.diagnostics.error("R116", f"{name}: the deletion policy {what}", mark, "Delete, Retain or Snapshot")
            return resource.policies
        return replace(resource.policies, deletion=found, update_replace=found)

    def value(self, expr: Expr) -> Value:
        """The value of an expression of this template; FAULTY where it has none, which is reported."""
        try:
            return self.evaluator.value(expr)
        except EvaluationError as error:
            self.refused(error)
        except RecursionError:
            self.run.diagnostics.error("R107", "this expression is nested too deeply", expr.mark)
        except ReportedError:
            pass
        return FAULTY

    def refused(self, error: EvaluationError) -> None:
        """R103, or R112 where only the region is missing; once for a place."""
        told = (str(error), error.mark)
        if told in self.run.told:
            return
        self.run.told.add(told)
        if DEFAULT_REGION in error.keys and "AWS::Region" not in self.run.pseudo:
            self.run.diagnostics.error("R112", str(error), error.mark, "say which region the template is to think of: --param AWS::Region=us-east-1")
            return
        hint = ""
        for kind, known in (("parameter", self.parameters), ("condition", self.template.conditions), ("mapping", self.template.mappings)):
            if str(error).startswith(f"there is no {kind} "):
                hint = did_you_mean(str(error).rsplit(" ", 1)[-1], known) or f"declare it under {kind}s"
        self.run.diagnostics.error("R103", str(error), error.mark, hint)

    def output(self, name: str) -> Value:
        """The value of an output; None where its condition does not hold."""
        if name not in self._outputs:
            output = self.template.outputs[name]
            with self.run.trail.enter(f"output {self.full(name)}", output.mark):
                applies = output.condition is None or self.holds(output.condition)
                self._outputs[name] = self._as_output(output, self.value(output.value)) if applies else None
        return self._outputs[name]

    def _as_output(self, output: Output, value: Value) -> Value:
        """CloudFormation's outputs are text, whatever they are made of; a list or a map is none (R115)."""
        if self.template.language != "cfn" or self.template.heat:
            return value
        if isinstance(value, (list, dict)):
            what = f"Template format error: Output {output.name} is malformed. The Value field of every Outputs member must evaluate to a String."
            self.run.diagnostics.error("R115", what, output.value.mark, "join a list with Fn::Join; Fn::ToJsonString makes text of anything")
            return FAULTY
        if isinstance(value, Sensitive):
            return value if isinstance(value.value, str) else Sensitive(to_text(value.value))
        return to_text(value) if isinstance(value, (bool, int, float)) else value

    def output_or_faulty(self, name: str) -> Value:
        """The value of an output; FAULTY where it is part of a circle, which is reported."""
        try:
            return self.output(name)
        except ReportedError:
            return FAULTY

    def reference(self, expr: Ref) -> Value:
        """What a bare reference to a resource of this template gives."""
        placed = self.placed(expr.target)
        if placed is not None:
            return placed.reference(expr.mark)
        return None if expr.target in self.template.resources else Unknown(Ref(self.full(expr.target), expr.mark))

    def attribute(self, expr: Attr, path: list[Value]) -> Value:
        """What an attribute of a resource of this template gives."""
        placed = self.placed(expr.target)
        if placed is not None:
            return placed.attribute(path, expr.mark)
        return None if expr.target in self.template.resources else Unknown(Attr(self.full(expr.target), tuple(map(to_expr, path)), expr.mark))


class _LevelEvaluator(Evaluator):
    """References go through the level, and circles of conditions are told."""

    def __init__(self, level: Level) -> None:
        super().__init__(lambda _path, _attribute: PENDING, level.parameters, level.template.conditions, level.template.mappings)
        self._level = level
        self._deciding: set[str] = set()
        """Conditions that are being worked out: where one needs them again, the circle is told step by step."""

    def value(self, expr: Expr) -> Value:
        """The value of an expression; FAULTY in the place of each part that has none, so that every fault is told."""
        try:
            return super().value(expr)
        except EvaluationError as error:
            self._level.refused(error)
            return FAULTY

    def reference(self, expr: Ref) -> Value:
        """What a bare reference gives."""
        return self._level.reference(expr)

    def attribute(self, expr: Attr, path: list[Value]) -> Value:
        """What an attribute gives."""
        return self._level.attribute(expr, path)

    def facade(self, what: str) -> Value:
        """What the nested template's resource says in the parent."""
        outer = self._level.stands_for
        if outer is None:
            return super().facade(what)
        if what == "metadata":
            return outer.value(outer.resource.metadata) if outer.resource.metadata is not None else {}
        return outer.policies.deletion if what == "deletion_policy" else outer.policies.extra.get("update_policy", {})

    def outside(self, expr: Call, args: list[Any]) -> Value:
        """What other stacks say."""
        known = self._level.run.environment.outside
        if known is None:
            return super().outside(expr, args)
        if expr.fn == "import_value":
            self._level.run.imports.add(str(args[0]))
        try:
            return answer(known, expr.fn, args)
        except (AnswerError, LookupError) as error:
            raise EvaluationError(str(error), expr.mark) from error

    def decide(self, name: str, mark: Mark) -> Value:
        """A condition's value; those that it names come first, so that a long row of them needs no deep recursion."""
        order = self._order(name)
        for needed in [name] if self._deciding & set(order) else order:
            if needed not in self._decided:
                with self._level.run.trail.enter(f"condition {self._level.full(needed)}", mark):
                    self._deciding.add(needed)
                    self._decided[needed] = super().decide(needed, mark)
                    self._deciding.discard(needed)
        return self._decided[name]

    def _order(self, name: str) -> list[str]:
        """``name`` last, after every condition that it names, directly or not; a circle is found by the trail."""
        order: list[str] = []
        seen = {name}
        stack = [(name, iter(self._named(name)))]
        while stack:
            top, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                order.append(top)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(self._named(following))))
        return order

    def _named(self, name: str) -> list[str]:
        calls = (e for e in walk(self._conditions[name]) if isinstance(e, Call) and e.fn == "condition" and e.args)
        found = (str(c.args[0].value) for c in calls if isinstance(c.args[0], Literal))
        return [n for n in found if n in self._conditions and n not in self._decided]

