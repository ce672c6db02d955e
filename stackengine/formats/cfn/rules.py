"""The section Rules: what must hold of the parameters that are given."""

from __future__ import annotations

from stackengine.formats.build import check_keys, text_of
from stackengine.formats.cfn.functions import Functions
from stackengine.formats.cfn.names import entries
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Assertion, Rule

KEYS = ("RuleCondition", "Assertions")
ASSERTION_KEYS = ("Assert", "AssertDescription")


def rules(node: Node | None, functions: Functions, diagnostics: Diagnostics) -> tuple[Rule, ...]:
    """Every rule that is in order."""
    return tuple(r for k, v in entries(node) if (r := _rule(k, v, functions.at("Rules"), diagnostics)) is not None)


def _rule(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Rule | None:
    if node.kind != "map":
        diagnostics.error("C150", f"the rule {key.text} must be a mapping", node.mark)
        return None
    check_keys(node, KEYS, f"rule {key.text}", "C151", diagnostics)
    listed = node.get("Assertions")
    if listed is None or listed.kind != "list" or not listed.items:
        diagnostics.error("C150", f"the rule {key.text} needs a list of Assertions", (listed or key).mark)
        return None
    condition = node.get("RuleCondition")
    found = []
    for item in listed.items:
        asserted = item.get("Assert") if item.kind == "map" else None
        if asserted is None:
            diagnostics.error("C152", f"an assertion of the rule {key.text} needs an Assert", item.mark)
            continue
        check_keys(item, ASSERTION_KEYS, "an assertion", "C151", diagnostics)
        found.append(Assertion(functions(asserted), text_of(item.get("AssertDescription")), item.mark))
    return Rule(key.text, functions(condition) if condition is not None else None, tuple(found), key.mark)
