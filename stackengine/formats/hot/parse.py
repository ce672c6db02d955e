"""A HOT file to the neutral template (Heat's hot_spec)."""

from __future__ import annotations

from stackengine.formats.build import as_map, check_keys, text_of
from stackengine.formats.hot import versions as since
from stackengine.formats.hot.functions import Functions
from stackengine.formats.hot.parameters import groups, parameter
from stackengine.formats.hot.resources import Resources
from stackengine.formats.hot.versions import RELEASES, VERSIONS, resolve
from stackengine.formats.nesting import Loader
from stackengine.formats.scaling import with_groups
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Literal
from stackengine.model.template import Output, Source, Template

SECTIONS = ("heat_template_version", "description", "parameter_groups", "parameters", "resources", "outputs")
OUTPUT_KEYS = ("value", "description")
_ELSEWHERE = {
    **{k: f"'{k}' belongs inside a resource" for k in ("properties", "type", "depends_on", "deletion_policy", "metadata")},
    "conditions": f"conditions came with {since.CONDITIONS}",
    "Parameters": "HOT writes it in lower case", "Resources": "HOT writes it in lower case", "Outputs": "HOT writes it in lower case",
    "mappings": "HOT has no mappings: use a json parameter with a default, and get_param with a path",
}  # fmt: skip


def parse(root: Node, text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong."""
    version = _version(root, diagnostics)
    known = (*SECTIONS, "conditions") if version >= since.CONDITIONS else SECTIONS
    check_keys(root, known, "a HOT template" if version >= since.CONDITIONS else f"a HOT {version} template", "H102", diagnostics, _ELSEWHERE)
    section = {s: as_map(root.get(s), s, "H103", diagnostics) for s in ("parameters", "conditions", "resources", "outputs")}
    if all(not _entries(section[s]) for s in ("resources", "outputs")):
        place = root.get("resources")
        diagnostics.warning("H104", "the template has neither resources nor outputs", place.mark if place else root.mark)
    parameters = {k.text: parameter(k, v, version, diagnostics) for k, v in _entries(section["parameters"])}
    loader.note([p.default.value for p in parameters.values() if isinstance(p.default, Literal)])
    sources = [Source(name, text)]
    names = [k.text for k, _ in _entries(section["resources"])]
    functions = Functions(version, name, loader, sources, diagnostics, parameters, names)
    conditions = _entries(section["conditions"]) if version >= since.CONDITIONS else ()
    resources = Resources(version, name, loader, functions, diagnostics)
    return Template(
        language="hot",
        version=version,
        description=text_of(root.get("description")),
        parameters=parameters,
        conditions={k.text: functions.definition(v) for k, v in conditions},
        resources=with_groups({k.text: r for k, v in _entries(section["resources"]) if (r := resources.read(k, v)) is not None}, diagnostics),
        outputs={k.text: o for k, v in _entries(section["outputs"]) if (o := _output(k, v, functions, version, diagnostics)) is not None},
        groups=groups(root.get("parameter_groups"), parameters, diagnostics),
        sources=tuple(sources),
    )


def _version(root: Node, diagnostics: Diagnostics) -> str:
    node = root.get("heat_template_version")
    written = text_of(node)
    version = resolve(written)
    if version is None:
        hint = did_you_mean(written, [*VERSIONS, *RELEASES]) or f"the newest is {VERSIONS[-1]}"
        diagnostics.error("H101", f"there is no HOT version {written}", node.mark if node is not None else root.mark, hint)
    return version or VERSIONS[-1]


def _entries(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    return node.entries if node is not None else ()


def _output(key: Node, node: Node, functions: Functions, version: str, diagnostics: Diagnostics) -> Output | None:
    if node.kind != "map":
        diagnostics.error("H111", f"output {key.text} must be a mapping with a value", node.mark)
        return None
    for word in node.key_nodes():
        if word.text == "condition" and version < since.CONDITIONS:
            diagnostics.error("H112", f"outputs have no condition in HOT {version}", word.mark, f"it came with {since.CONDITIONS}")
        elif word.text not in (*OUTPUT_KEYS, "condition"):
            hint = did_you_mean(word.text, OUTPUT_KEYS)
            diagnostics.warning("H112", f"output {key.text} has no key {word.text}: it is ignored", word.mark, hint)
    found = node.get("value")
    if found is None:
        diagnostics.error("H113", f"output {key.text} has no value", key.mark)
        return None
    condition = node.get("condition") if version >= since.CONDITIONS else None
    return Output(key.text, functions(found), text_of(node.get("description")), functions.condition(condition) if condition else None, mark=key.mark)
