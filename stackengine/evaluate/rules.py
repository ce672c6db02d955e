"""CloudFormation's Rules: what must hold of the parameters that are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackengine.evaluate.functions.logic import truth
from stackengine.model.template import Rule
from stackengine.model.values import Value, has_unknown, reveal

if TYPE_CHECKING:
    from stackengine.evaluate.levels import Level


def check_rules(level: Level) -> None:
    """Report every assertion that does not hold; what is not known yet is not asserted."""
    for rule in level.template.rules:
        if rule.condition is None or _holds(level.value(rule.condition)):
            _check(rule, level)


def _check(rule: Rule, level: Level) -> None:
    for assertion in rule.assertions:
        if _holds(level.value(assertion.holds)) is False:
            said = assertion.description or "an assertion does not hold"
            level.run.diagnostics.error("P110", f"Rule {rule.name}: {said}", assertion.mark, "the values of the parameters do not go together")


def _holds(value: Value) -> bool | None:
    """Whether a condition holds; None where that is not known."""
    if has_unknown(value):
        return None
    try:
        return truth(reveal(value))
    except ValueError:
        return False
