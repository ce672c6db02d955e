"""The section Outputs, and what is exported."""

from __future__ import annotations

from stackengine.formats.build import check_keys, text_of
from stackengine.formats.cfn.functions import Functions
from stackengine.formats.cfn.names import entries
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Expr, List, Map, Ref, walk
from stackengine.model.template import Output

KEYS = ("Value", "Description", "Condition", "Export")


def outputs(node: Node | None, functions: Functions, diagnostics: Diagnostics) -> dict[str, Output]:
    """Every output that is in order."""
    reader = functions.at("Outputs")
    return {k.text: o for k, v in entries(node) if (o := _output(k, v, reader, diagnostics)) is not None}


def _output(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Output | None:
    if node.kind != "map" or node.tag:
        diagnostics.error("C111", f"Template format error: [/Outputs/{key.text}] Every Outputs member must be an object.", node.mark, "Value: …")
        return None
    check_keys(node, KEYS, f"output {key.text}", "C112", diagnostics)
    found = node.get("Value")
    if found is None:
        diagnostics.error("C113", f"Template format error: [/Outputs/{key.text}] Every Outputs member must contain a Value object", key.mark)
        return None
    described = node.get("Description")
    if described is not None and (described.kind != "scalar" or described.tag):
        diagnostics.error(
            "C115", f"Template format error: [/Outputs/{key.text}/Description] must be a string", described.mark, "functions are not allowed here"
        )
    value = functions(found)
    if isinstance(value, (List, Map)):
        diagnostics.error(
            "C113",
            f"Template format error: The Value field of every Outputs member must evaluate to a String. [{key.text}]",
            found.mark,
            "join a list with Fn::Join",
        )
        return None
    condition = node.get("Condition")
    holds = functions.condition(condition, f"the output {key.text}") if condition is not None else None
    return Output(key.text, value, text_of(described), holds, export=_export(key, node.get("Export"), functions, diagnostics), mark=key.mark)


def _export(key: Node, node: Node | None, functions: Functions, diagnostics: Diagnostics) -> Expr | None:
    if node is None:
        return None
    name = node.get("Name") if node.kind == "map" else None
    if name is None or len(node.entries) != 1:
        diagnostics.error("C116", f"Template format error: Output {key.text} is malformed. The Name field of every Export member must be specified.", node.mark)
        return None
    found = functions(name)
    if any(isinstance(e, (Ref, Attr)) for e in walk(found)):
        diagnostics.error("C122", f"the name of the export of {key.text} cannot depend on a resource", name.mark, "only parameters and pseudo parameters")
        return None
    return found
