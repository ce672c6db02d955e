"""The section Transform and the function Fn::Transform: what is carried out before the template is read.

Carried out: AWS::LanguageExtensions, AWS::Include of files beside the template, macros that are Python entry points the machine's owner allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackengine.formats.build import text_of
from stackengine.formats.cfn.early import Early
from stackengine.formats.cfn.loops import PREFIX, SECTIONS, Loops
from stackengine.formats.cfn.scalars import FAULTY_TAG, data, node_of, untagged
from stackengine.formats.nesting import Loader, join
from stackengine.formats.tree import Node, compose
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark
from stackengine.model.template import Source

EXTENSIONS, INCLUDE, SERVERLESS = "AWS::LanguageExtensions", "AWS::Include", "AWS::Serverless-2016-10-31"
IGNORED = {"AWS::SecretsManager-2020-07-23": "secrets are not rotated", "AWS::SecretsManager-2024-09-16": "secrets are not rotated"}
REFUSED = {
    SERVERLESS: "there are no functions as a service here; 'sam' can expand the template, but nothing could run what it gives",
    "AWS::CodeDeployBlueGreen": "there is no CodeDeploy; an update replaces what it must, the new one first",
    "AWS::ServiceCatalog": "there is no service catalog",
}
MAX_DEPTH = 16
"""Files within files."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A template after its transforms."""

    root: Node
    extended: bool = False
    loose: bool = False
    """A transform was not carried out, so that names may be missing; that is reported."""
    sources: tuple[Source, ...] = ()
    serverless: bool = False


class Transforms:
    """Carries the transforms of one template out."""

    def __init__(self, loader: Loader, file: str, given: Mapping[str, Any], diagnostics: Diagnostics) -> None:
        self._loader, self._file, self._given, self._diagnostics = loader, file, given, diagnostics
        self._sources: list[Source] = []
        self._loose = False
        self._depth = 0
        self._early = Early(Node("map", Mark(file, 1, 1, 1, 1)), given)

    def expand(self, root: Node) -> Expanded:
        """The template as it is to be read."""
        self._early = Early(root, self._given)
        root = self._inside(root) if _mentions(root, "Transform") else root
        named = _listed(root.get("Transform"))
        extended = any(_name(t) == EXTENSIONS for t in named)
        for transform in named:
            root = self._whole(root, transform)
        self._early = Early(root, self._given)
        loops = Loops(self._early, self._diagnostics)
        if extended:
            root = _with_sections(root, {s: loops.section(n) for s in SECTIONS if (n := root.get(s)) is not None and _mentions(n, PREFIX)})
        return Expanded(root, extended, self._loose or loops.unknown, tuple(self._sources), any(_name(t) == SERVERLESS for t in named))

    def _whole(self, root: Node, transform: Node) -> Node:
        name = _name(transform)
        if not name:
            self._diagnostics.error("C160", "a transform is a name, or a mapping with Name and Parameters", transform.mark)
            return root
        if name == EXTENSIONS:
            return root
        if name == INCLUDE:
            found = self._included(transform, transform.get("Parameters"))
            return _merged(root, found, self._diagnostics) if found is not None else root
        rest = replace(root, entries=tuple((k, v) for k, v in root.entries if k.text != "Transform"))
        return self._macro(name, transform, transform.get("Parameters"), rest) or root

    def _macro(self, name: str, transform: Node, parameters: Node | None, fragment: Node) -> Node | None:
        """What a macro makes of a fragment; None where it is not carried out, which is said."""
        if name in IGNORED:
            self._diagnostics.notice("C171", f"the transform {name} has no effect: {IGNORED[name]}", transform.mark)
            return None
        self._loose = True
        if name in REFUSED:
            self._diagnostics.error("C163", f"the transform {name} is not supported: {REFUSED[name]}", transform.mark)
            return None
        if ":" not in name or name.startswith("AWS::"):
            hint = "a macro is named 'module:function', a Python entry point that this machine's owner allows"
            self._diagnostics.error("C160", f"No transform named {name} found.", transform.mark, hint)
            return None
        event = {
            "fragment": data(fragment), "params": data(parameters) if parameters is not None else {}, "transformId": name, "requestId": name,
            "region": str(self._given.get("AWS::Region", "local")), "accountId": "000000000000", "templateParameterValues": dict(self._given),
        }  # fmt: skip
        try:
            answer = self._loader.call_macro(name, event)
        except PermissionError as error:
            self._diagnostics.error(
                "X103", f"the macro {name} may not run: {error}", transform.mark, "who owns this machine can allow it: allow.python in owner.yaml"
            )
            return None
        except Exception as error:
            self._diagnostics.error("C164", f"Transform {name} failed with: {type(error).__name__}: {error}", transform.mark)
            return None
        if not isinstance(answer, dict) or answer.get("status") != "success" or "fragment" not in answer:
            said = answer.get("errorMessage", "") if isinstance(answer, dict) else ""
            self._diagnostics.error(
                "C164", f"Transform {name} failed{' with: ' + str(said) if said else ''}", transform.mark, "it must give status: success and a fragment"
            )
            return None
        self._loose = False
        return node_of(answer["fragment"], transform.mark)

    def _inside(self, node: Node) -> Node:
        """``node`` with every Fn::Transform below it carried out, deepest first."""
        if node.kind == "list":
            return replace(node, items=tuple(map(self._inside, node.items)))
        if node.kind != "map":
            return node
        inner = replace(node, entries=tuple((k, self._inside(v)) for k, v in node.entries))
        if inner.tag == "!Transform":
            return self._placed(inner, untagged(inner), ())
        for key, value in inner.entries:
            if key.text == "Fn::Transform":
                siblings = tuple((k, v) for k, v in inner.entries if k is not key)
                found = inner
                for one in value.items if value.kind == "list" else (value,):
                    found = self._placed(key, one, siblings)
                    siblings = found.entries
                return found
        return inner

    def _placed(self, where: Node, spec: Node, siblings: tuple[tuple[Node, Node], ...]) -> Node:
        name = _name(spec)
        rest = Node("map", where.mark, entries=siblings)
        if not name:
            self._diagnostics.error("C160", "Fn::Transform takes a mapping with Name and Parameters", where.mark)
            return rest
        found = self._included(where, spec.get("Parameters")) if name == INCLUDE else self._macro(name, where, spec.get("Parameters"), rest)
        if found is None:
            return rest if siblings else replace(rest, tag=FAULTY_TAG)
        if not siblings or name != INCLUDE:
            return found
        return _merged(rest, found, self._diagnostics)

    def _included(self, where: Node, parameters: Node | None) -> Node | None:
        location = parameters.get("Location") if parameters is not None and parameters.kind == "map" else None
        name = self._early.text(location) if location is not None else None
        if location is None or not name:
            self._loose = True
            if location is not None and self._early.waits_for(location):
                return None
            self._diagnostics.error("C161", "AWS::Include needs the Location of a file", (location or where).mark, "the name of a file beside the template")
            return None
        if name.startswith("s3://") or self._depth >= MAX_DEPTH:
            self._loose = True
            why = "it is not on this machine" if name.startswith("s3://") else f"files include each other more than {MAX_DEPTH} deep"
            self._diagnostics.error("C161", f"{name} cannot be included: {why}", location.mark, "copy it beside the template, and name it there")
            return None
        place = join(location.mark.file, name)
        try:
            text = self._loader.read(name, location.mark.file)
        except (OSError, ValueError) as error:
            self._loose = True
            self._diagnostics.error("C161", f"the file cannot be included: {error}", location.mark)
            return None
        self._sources.append(Source(place, text))
        found = compose(text, place, self._diagnostics)
        if found is None:
            self._loose = True
            return None
        self._depth += 1
        try:
            return self._inside(found)
        finally:
            self._depth -= 1


def _listed(node: Node | None) -> tuple[Node, ...]:
    if node is None:
        return ()
    return node.items if node.kind == "list" else (node,)


def _name(node: Node) -> str:
    return node.text if node.kind == "scalar" else text_of(node.get("Name")) if node.kind == "map" else ""


def _mentions(node: Node, word: str) -> bool:
    """Whether a key below begins with a word, or a tag is it."""
    stack = [node]
    while stack:
        top = stack.pop()
        if top.tag == f"!{word}":
            return True
        for key, value in top.entries:
            if key.text.startswith((word, f"Fn::{word}")):
                return True
            stack.append(value)
        stack.extend(top.items)
    return False


def _with_sections(root: Node, sections: Mapping[str, Node]) -> Node:
    return replace(root, entries=tuple((k, sections.get(k.text, v)) for k, v in root.entries))


def _merged(into: Node, found: Node, diagnostics: Diagnostics) -> Node:
    """Two mappings as one; what is in both must be mappings, too."""
    if found.kind != "map" or into.kind != "map":
        diagnostics.error("C161", "what is included beside other keys must be a mapping", found.mark)
        return into
    there = {k.text: v for k, v in into.entries}
    entries = []
    new = {k.text: v for k, v in found.entries}
    for key, value in into.entries:
        both = key.text in new and value.kind == "map" and new[key.text].kind == "map"
        entries.append((key, _merged(value, new[key.text], diagnostics) if both else value))
    return replace(into, entries=(*entries, *((k, v) for k, v in found.entries if k.text not in there)))
