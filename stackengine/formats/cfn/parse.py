"""A CloudFormation file, YAML or JSON, to the neutral template (template anatomy of the CloudFormation User Guide)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from stackengine.formats.build import as_map, plain, text_of
from stackengine.formats.cfn import limits
from stackengine.formats.cfn.early import Early
from stackengine.formats.cfn.functions import Functions
from stackengine.formats.cfn.loops import PREFIX
from stackengine.formats.cfn.mappings import mappings
from stackengine.formats.cfn.names import SECTIONS_OF_MAPS, Names, entries, without_type
from stackengine.formats.cfn.nested import with_nested
from stackengine.formats.cfn.outputs import outputs
from stackengine.formats.cfn.parameters import parameter
from stackengine.formats.cfn.resources import resources
from stackengine.formats.cfn.rules import rules
from stackengine.formats.cfn.transforms import Expanded, Transforms
from stackengine.formats.nesting import Loader
from stackengine.formats.scaling import with_groups
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Expr, Literal
from stackengine.model.template import Parameter, Resource, Source, Template
from stackengine.model.values import FAULTY

SECTIONS = ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Description", "Metadata", "Transform", *SECTIONS_OF_MAPS)
ELSEWHERE = {
    "Properties": "properties belong to a resource, under Resources", "Type": "a resource stands under its name in Resources",
    "Globals": "Globals belongs to Transform: AWS::Serverless-2016-10-31",
}  # fmt: skip
FORMATS = {"AWSTemplateFormatVersion": "2010-09-09", "HeatTemplateFormatVersion": "2012-12-12"}


def parse(root: Node, text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong. What is wrong is left out or FAULTY, so that the rest can still be evaluated."""
    heat = root.get("HeatTemplateFormatVersion") is not None
    version = _version(root, diagnostics)
    before = len(diagnostics.errors)
    expanded = Transforms(loader, name, loader.given, diagnostics).expand(root)
    root, told = expanded.root, len(diagnostics.errors) > before
    if not heat:
        _no_nulls(root, diagnostics)
    _sections(root, expanded, diagnostics)
    limits.check(root, text, diagnostics)
    section = {s: as_map(root.get(s), s, "C103", diagnostics) for s in (*SECTIONS_OF_MAPS, "Metadata")}
    early = Early(root, loader.given)
    names = _names(section, expanded, early, diagnostics)
    names = replace(names, heat=heat, lines=(name, tuple(text.splitlines())))
    if not heat:
        _names_are_alphanumeric(section, diagnostics)
    functions = Functions(names, diagnostics)
    if not entries(section["Resources"]) and not expanded.loose and not told:
        place = root.get("Resources")
        diagnostics.error("C104", "Template format error: At least one Resources member must be defined.", (place or root).mark)
    return Template(
        language="cfn",
        version=version,
        description=text_of(root.get("Description")),
        parameters=_labelled(dict(names.parameters), section["Metadata"]),
        mappings=dict(names.mappings),
        conditions={k.text: _condition(k, v, functions.at("Conditions"), diagnostics) for k, v in entries(section["Conditions"])},
        rules=rules(section["Rules"], functions, diagnostics),
        resources=with_groups({r.logical_id: r for r in _resources(section["Resources"], functions, (loader, name), early, diagnostics)}, diagnostics),
        outputs=outputs(section["Outputs"], functions, diagnostics),
        metadata=plain(section["Metadata"], "yaml11") if section["Metadata"] else {},
        sources=(Source(name, text), *expanded.sources),
    )


def _version(root: Node, diagnostics: Diagnostics) -> str:
    version = FORMATS["AWSTemplateFormatVersion"]
    for key, wanted in FORMATS.items():
        node = root.get(key)
        if node is not None:
            version = text_of(node)
            if version != wanted:
                summary = f"Template format error: {version or 'null'} is not a supported value for {key}."
                diagnostics.error("C101", summary, node.mark, f"it must be {wanted}: a date is a version here, not when the template was written")
    return version


def _sections(root: Node, expanded: Expanded, diagnostics: Diagnostics) -> None:
    for key, node in root.entries:
        if key.text == "Hooks":
            diagnostics.error("C114", "the section Hooks is not supported: there is no CodeDeploy", key.mark)
        elif key.text == "Description" and (node.kind != "scalar" or node.tag):
            diagnostics.error("C115", "Template format error: every Description must be a string", node.mark)
        elif key.text not in SECTIONS and not (expanded.serverless and key.text == "Globals"):
            hint = ELSEWHERE.get(key.text) or did_you_mean(key.text, SECTIONS) or f"sections: {', '.join(SECTIONS)}"
            diagnostics.error("C102", f"Invalid template property or properties [{key.text}]", key.mark, hint)


def _names(section: dict[str, Node | None], expanded: Expanded, early: Early, diagnostics: Diagnostics) -> Names:
    parameters = {k.text: parameter(k, v, diagnostics) for k, v in entries(section["Parameters"])}
    for key, _ in entries(section["Resources"]):
        if key.text in parameters:
            diagnostics.error(
                "C118", f"Template format error: the logical id {key.text} is a parameter, too", key.mark, "names of parameters and resources differ"
            )
    declared = frozenset(k.text for k, _ in entries(section["Resources"]) if not k.text.startswith(PREFIX))
    modules = tuple(k.text for k, v in entries(section["Resources"]) if v.kind == "map" and text_of(v.get("Type")).endswith("::MODULE"))
    return Names(
        parameters,
        mappings(section["Mappings"], diagnostics),
        frozenset(k.text for k, _ in entries(section["Conditions"])),
        declared,
        frozenset(without_type(section["Resources"])),
        expanded.extended,
        expanded.loose,
        modules=modules,
        early=early,
    )


def _names_are_alphanumeric(section: dict[str, Node | None], diagnostics: Diagnostics) -> None:
    for title, word in (("Parameters", "Parameter"), ("Mappings", "Mapping"), ("Resources", "Resource"), ("Outputs", "Output"), ("Rules", "Rule")):
        for key, _ in entries(section[title]):
            if not re.fullmatch(r"[A-Za-z0-9]+", key.text) and not key.text.startswith("Fn::"):
                allowed = r"[A-Za-z0-9.-]+" if title == "Mappings" else r"(?!)"
                if not re.fullmatch(allowed, key.text):
                    summary = f"Template format error: {word} name {key.text} is non alphanumeric."
                    if re.fullmatch(r"\w+", key.text, re.ASCII):
                        diagnostics.warning("C143", summary, key.mark, "it is taken here; on AWS a name has letters and digits only")
                    else:
                        diagnostics.error("C116", summary, key.mark, "letters and digits only")


def _condition(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Expr:
    found = functions.read(node)
    if found is None:
        summary = f"Template format error: Every Conditions member must be an object with one condition function. [/Conditions/{key.text}]"
        diagnostics.error("C121", summary, node.mark, "Fn::Equals, Fn::And, Fn::Or, Fn::Not, or Condition")
        return Literal(FAULTY, node.mark)
    return found


def _resources(node: Node | None, functions: Functions, files: tuple[Loader, str], early: Early, diagnostics: Diagnostics) -> Iterator[Resource]:
    bodies = {k.text: v for k, v in entries(node)}
    for found in resources(node, functions, diagnostics):
        waiting = _waiting(found, bodies[found.logical_id].get("CreationPolicy"), diagnostics)
        nested = with_nested(waiting, bodies[found.logical_id].get("Properties"), files[0], files[1], early, diagnostics, loose=functions.names.loose)
        yield nested if nested is not None else waiting


def _waiting(resource: Resource, creation: Node | None, diagnostics: Diagnostics) -> Resource:
    """A wait condition without a handle waits for cfn-signal, which calls an address of AWS's."""
    if resource.type != "AWS::CloudFormation::WaitCondition" or creation is None or resource.properties.get("Handle") is not None:
        return resource
    summary = f"{resource.logical_id} waits for signals by its name, and there is no address for them"
    diagnostics.error("C174", summary, resource.mark, "give it a Handle: AWS::CloudFormation::WaitConditionHandle has an address")
    faulty = Entry("Handle", resource.mark, Literal(FAULTY, resource.mark))
    return replace(resource, properties=replace(resource.properties, entries=(*resource.properties.entries, faulty)))


def _labelled(parameters: dict[str, Parameter], metadata: Node | None) -> dict[str, Parameter]:
    """Parameters with the labels of AWS::CloudFormation::Interface."""

    interface = metadata.get("AWS::CloudFormation::Interface") if metadata is not None else None
    labels = interface.get("ParameterLabels") if interface is not None and interface.kind == "map" else None
    for key, value in entries(labels):
        said = text_of(value.get("default")) if value.kind == "map" else ""
        if key.text in parameters and said:
            parameters[key.text] = replace(parameters[key.text], label=said)
    return parameters


def _no_nulls(root: Node, diagnostics: Diagnostics) -> None:
    """CloudFormation takes no null anywhere."""
    stack: list[tuple[str, Node]] = [("", root)]
    while stack:
        path, node = stack.pop()
        if node.kind == "scalar":
            if node.plain and not node.tag and node.text in ("", "~", "null", "Null", "NULL") and path != "/Resources":
                diagnostics.error("C117", f"[{path}] 'null' values are not allowed in templates", node.mark, "leave it out; an empty text is ''")
            continue
        stack.extend((f"{path}/{k.text}", v) for k, v in node.entries)
        stack.extend((f"{path}/{n}", i) for n, i in enumerate(node.items))
