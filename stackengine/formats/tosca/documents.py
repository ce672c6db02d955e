"""TOSCA files and what they import: repositories, profiles, namespaces (TOSCA 2.0, 6.5 to 6.8; Simple Profile 1.3, 3.6.8 and 3.10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from stackengine.formats.nesting import join
from stackengine.formats.reader import Reader
from stackengine.formats.tosca import profile
from stackengine.formats.tosca.reading import Reading, is_null, items, pairs, text
from stackengine.formats.tosca.versions import DRAFTS, PROFILES, VERSIONS
from stackengine.formats.tree import Node, compose
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import Mark
from stackengine.model.template import Source

SECTIONS = {
    "node": "node_types", "relationship": "relationship_types", "capability": "capability_types", "interface": "interface_types", "data": "data_types",
    "artifact": "artifact_types", "group": "group_types", "policy": "policy_types",
}  # fmt: skip
"""The kinds of types, and where files define them."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A type as some file declares it."""

    document: Document
    key: Node
    body: Node


_OLD_CONTAINER = ("1.0", "1.1")
"""There, tosca.capabilities.Container is what Compute offers, with num_cpus and the like; 1.2 gave that to tosca.capabilities.Compute."""


@dataclass(slots=True, eq=False)
class Document:
    """One file: its own types, and what it imports. ``root`` is None for the Simple Profile."""

    name: str
    root: Node | None
    reading: Reading
    own: dict[str, dict[str, tuple[Node, Node]]] = field(default_factory=dict)
    imports: list[tuple[str, Document]] = field(default_factory=list)
    """(namespace or empty, file)."""
    failed: bool = False
    """An import could not be read, so that what is missing may be in it."""
    functions: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    repositories: dict[str, str] = field(default_factory=dict)
    top: Document | None = None
    """The file that imports it, perhaps through others; 1.x knows one set of types for all of them."""
    borrowed: set[tuple[str, str]] = field(default_factory=set)
    """Names that are known only through ``top``."""
    _found: dict[tuple[str, str], Declared | None] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The TOSCA version."""
        return self.reading.version

    def find(self, kind: str, name: str) -> Declared | None:
        """The declaration that a name means in this file."""
        key = (kind, name)
        if key not in self._found:
            found = self._look(kind, name, set())
            if found is None and self.reading.first and self.top is not None and self.top is not self:
                found = self.top._look(kind, name, set())
                if found is not None:
                    self.borrowed.add(key)
            self._found[key] = found
        return self._found[key]

    def _look(self, kind: str, name: str, seen: set[int]) -> Declared | None:
        if id(self) in seen:
            return None
        seen.add(id(self))
        if self.root is None:
            return self._normative(kind, name)
        if kind == "capability" and self.version in _OLD_CONTAINER and name.removeprefix("tosca:").removeprefix("tosca.capabilities.") == "Container":
            name = "tosca.capabilities.Compute"
        own = self.own.get(kind, {}).get(name)
        if own is not None:
            return Declared(self, *own)
        for namespace, document in self.imports:
            if not namespace:
                found = document._look(kind, name, seen)
            elif name.startswith(f"{namespace}:") or (self.reading.first and name.startswith(f"{namespace}.")):
                found = document._look(kind, name[len(namespace) + 1 :], set())
            else:
                continue
            if found is not None:
                return found
        return None

    def _normative(self, kind: str, name: str) -> Declared | None:
        short = profile.short_name(kind, name)
        if not short:
            return None
        body = profile.node_of(kind, short)
        return Declared(self, Node("scalar", body.mark, text=short), body)

    def function(self, name: str) -> tuple[Document, Node, Node] | None:
        """The custom function that a name means in this file."""
        if name in self.functions:
            return (self, *self.functions[name])
        for namespace, document in self.imports:
            found = document.function(name) if not namespace else None
            if namespace and name.startswith(f"{namespace}:"):
                found = document.function(name[len(namespace) + 1 :])
            if found is not None:
                return found
        return None

    def visible(self, kind: str) -> Iterator[str]:
        """Names of a kind that can be used in this file, for hints."""
        yield from self._visible(kind, set())

    def _visible(self, kind: str, seen: set[int]) -> Iterator[str]:
        if id(self) in seen:
            return
        seen.add(id(self))
        if self.root is None:
            yield from profile.names(kind)
            yield from (profile.PREFIX[kind] + n for n in profile.names(kind))
        yield from self.own.get(kind, {})
        for namespace, document in self.imports:
            yield from (f"{namespace}:{n}" if namespace else n for n in document._visible(kind, seen))

    def everything(self) -> Iterator[Document]:
        """This file and all that it imports, each once."""
        seen: dict[int, Document] = {}
        queue = [self]
        while queue:
            document = queue.pop(0)
            if id(document) not in seen:
                seen[id(document)] = document
                queue += [d for _, d in document.imports]
                yield document


def version_of(root: Node, diagnostics: Diagnostics) -> str:
    """The version that a file says it is of; what is wrong with the header is reported."""
    node = root.get("tosca_definitions_version")
    said = text(node)
    if said in VERSIONS:
        return VERSIONS[said]
    if said in PROFILES:
        return PROFILES[said]
    mark = (node or root).mark
    if said in DRAFTS:
        diagnostics.warning("S203", f"{said} is the header of a working draft", mark, f"read as {DRAFTS[said]}")
        return DRAFTS[said]
    diagnostics.error("S101", f"there is no TOSCA version {said or '(none given)'}", mark, did_you_mean(said, VERSIONS) or ", ".join(VERSIONS))
    return "2.0" if "2_0" in said else "1.3"


class Library:
    """Reads files and what they import, each once."""

    def __init__(self, reader: Reader, diagnostics: Diagnostics) -> None:
        self._reader, self._diagnostics = reader, diagnostics
        self._opened: dict[str, Document | None] = {}
        self._profiles: dict[str, Document | None] = {}
        self._simple = Document(profile.PLACE, None, Reading("2.0", Diagnostics()))
        self._first: Document | None = None
        self.sources: list[Source] = []

    def open(self, root: Node, name: str) -> Document:
        """The document of a file that is parsed already, with its imports."""
        version = version_of(root, self._diagnostics)
        reading = Reading(version, self._diagnostics)
        document = Document(name, root, reading, top=self._first)
        self._first = self._first or document
        self._opened[name] = document
        reading.entity(root, "file", "a TOSCA file", root.mark)
        first = root.entries[0][0] if root.entries else None
        if version == "2.0" and first is not None and first.text != "tosca_definitions_version":
            reading.error("S206", "tosca_definitions_version must be the first line of the file", first.mark)
        if version == "2.0" and root.get("profile") is not None and root.get("service_template") is not None:
            key = next(k for k in root.key_nodes() if k.text == "service_template")
            reading.error("S207", "a file that defines a profile has no service template", key.mark)
        for kind, section in SECTIONS.items():
            document.own[kind] = {k.text: (k, v) for k, v in self._map(root, section)}
        document.functions = {k.text: (k, v) for k, v in self._map(root, "functions")}
        self._repositories(document, self._map(root, "repositories"))
        if reading.first:
            document.imports.append(("", self._simple))
        self._imports(document, root.get("imports"))
        return document

    @staticmethod
    def _map(root: Node, key: str) -> tuple[tuple[Node, Node], ...]:
        return pairs(root.get(key))

    def _repositories(self, document: Document, entries: tuple[tuple[Node, Node], ...]) -> None:
        for key, value in entries:
            if value.kind == "scalar" and not is_null(value):
                document.repositories[key.text] = value.text
                continue
            body = document.reading.entity(value, "repository", f"repository {key.text}", key.mark)
            if body is not None:
                document.repositories[key.text] = text(body.get("url"))

    def _imports(self, document: Document, node: Node | None) -> None:
        if node is None or is_null(node):
            return
        entries = items(node)
        if node.kind == "map":
            if not document.reading.first:
                return
            entries = tuple(Node("map", k.mark, entries=((k, v),)) for k, v in node.entries)
        for entry in entries:
            self._import(document, entry)

    def _import(self, document: Document, node: Node) -> None:
        reading = document.reading
        if node.kind == "scalar" and not is_null(node):
            self._file(document, node, "", "")
            return
        if node.kind == "map" and len(node.entries) == 1 and reading.first and node.entries[0][0].text not in ("file", "repository", "namespace_prefix"):
            key, value = node.entries[0]
            if reading.version == "1.3":
                reading.lenient(f"the import {key.text} has a name, which 1.3 does not know", key.mark, "write '- file: …'")
            node = value
            if node.kind == "scalar":
                self._file(document, node, "", "")
                return
        body = reading.entity(node, "import", "an import")
        if body is None:
            return
        namespace, file, profiled = (reading.get(body, "import", k) for k in ("namespace", "url", "profile"))
        repository = body.get("repository")
        if file is not None and profiled is not None:
            reading.error("S201", "an import has a url or a profile, not both", profiled.mark)
        elif profiled is not None:
            if repository is not None:
                reading.error("S201", "the repository of an import goes with a url", repository.mark)
            self._profile(document, profiled, text(namespace))
        elif file is None:
            reading.error("S201", f"an import needs {'a file' if reading.first else 'a url or a profile'}", body.mark)
        else:
            self._file(document, file, text(namespace), self._repository(document, repository, file))

    def _repository(self, document: Document, node: Node | None, file: Node) -> str:
        if node is None:
            return ""
        if node.text not in document.repositories:
            document.reading.error("S213", f"there is no repository {node.text}", node.mark, did_you_mean(node.text, document.repositories))
            return ""
        if "://" in file.text:
            document.reading.error("S213", "a file with a scheme of its own is in no repository", file.mark, "leave repository out")
            return ""
        return document.repositories[node.text]

    def _file(self, document: Document, node: Node, namespace: str, repository: str) -> None:
        name = node.text
        if document.reading.first and profile.is_simple_profile(name):
            return
        target = f"{repository.rstrip('/')}/{name.lstrip('/')}" if repository else name.removeprefix("file://") if name.startswith("file://") else name
        if re.match(r"[a-z][a-z0-9+.-]*://", target) and not target.startswith("file://"):
            hint = "copy the file into the template's folder; who owns this machine can allow its address: allow.urls"
            found = self._remote(document, target, node, hint)
        else:
            found = self._read(document, target, node.mark)
        if found is not None:
            document.imports.append((namespace, found))

    def _remote(self, document: Document, target: str, node: Node, hint: str) -> Document | None:
        if target in self._opened:
            return self._opened[target]
        try:
            content = self._reader.read(target, document.name)
        except (OSError, ValueError) as error:
            document.failed = True
            document.reading.error("X121", f"the import of {target} is refused: {error}", node.mark, hint)
            return None
        return self._parsed(content, target)

    def _read(self, document: Document, target: str, mark: Mark) -> Document | None:
        place = join(document.name, target)
        if place in self._opened:
            return self._opened[place]
        self._opened[place] = None
        try:
            content = self._reader.read(target, document.name)
        except (OSError, ValueError) as error:
            document.failed = True
            outside = "outside the template's folder" in str(error)
            hint = "copy it into the folder; who owns this machine can allow the place where it is: allow.files" if outside else ""
            document.reading.error("S210", f"the import cannot be read: {error}", mark, hint)
            return None
        return self._parsed(content, place, document)

    def _parsed(self, content: str, place: str, importer: Document | None = None) -> Document | None:
        root = compose(content, place, self._diagnostics, any_keys=True)
        self.sources.append(Source(place, content))
        if root is None:
            return None
        headless = root.kind == "map" and root.get("tosca_definitions_version") is None and any(root.get(s) is not None for s in SECTIONS.values())
        if headless and importer is not None and importer.reading.first:
            importer.reading.lenient(f"{place} has no tosca_definitions_version", root.mark, f"read as {importer.version}, like the file that imports it")
            header = (Node("scalar", root.mark, text="tosca_definitions_version"), importer.root.get("tosca_definitions_version") if importer.root else None)
            if header[1] is not None:
                root = Node("map", root.mark, entries=((header[0], header[1]), *root.entries))
        if root.kind != "map" or root.get("tosca_definitions_version") is None:
            self._diagnostics.error("S211", f"{place} is no TOSCA file", root.mark, "it has no tosca_definitions_version")
            return None
        return self.open(root, place)

    def _profile(self, document: Document, node: Node, namespace: str) -> None:
        name = node.text
        if profile.is_simple_profile(name):
            document.imports.append((namespace, self._simple))
            return
        if name not in self._profiles:
            self._profiles[name] = None
            self._profiles[name] = self._bundled(document, name)
        found = self._profiles[name]
        if found is None:
            known = ["org.oasis-open.simple:2.0"]
            hint = did_you_mean(name, known) or f"known is {known[0]}; other profiles must be in the template's folder or archive"
            document.failed = True
            document.reading.error("S212", f"the profile {name} is not known", node.mark, hint)
            return
        document.imports.append((namespace, found))

    def _bundled(self, document: Document, name: str) -> Document | None:
        """A file beside the template that defines the profile."""
        listing: Callable[[], list[str]] | None = getattr(self._reader, "names", None)
        pattern = re.compile(rf"^profile:\s*(['\"]?){re.escape(name)}\1\s*(#.*)?$", re.MULTILINE)
        for place in listing() if listing is not None else []:
            if not place.endswith((".yaml", ".yml")) or place == document.name:
                continue
            try:
                content = self._reader.read(place, "")
            except (OSError, ValueError):
                continue
            if pattern.search(content):
                return self._opened.get(place) or self._parsed(content, place)
        return None

    @staticmethod
    def check_clashes(document: Document) -> None:
        """Types that two files bring into one namespace (2.0, 6.8.4)."""
        if document.reading.first:
            return
        Library._imported_clashes(document)
        for kind, own in document.own.items():
            for name, (key, _) in own.items():
                for namespace, other in document.imports:
                    found = other.find(kind, name) if not namespace else None
                    if found is not None and found.document is not document:
                        hint = f"the other is at {found.key.mark}; import it into a namespace"
                        document.reading.error("S205", f"{kind} type {name} is here and in an imported file", key.mark, hint)

    @staticmethod
    def _imported_clashes(document: Document) -> None:
        """Types of one name that two imports bring into one namespace; one file that is imported on two ways is one."""
        node = document.root.get("imports") if document.root is not None else None
        if node is None or len(document.imports) < 2:
            return
        for kind in SECTIONS:
            seen: dict[tuple[str, str], Declared] = {}
            for namespace, other in document.imports:
                for name in set(other.visible(kind)):
                    found = other.find(kind, name)
                    if found is None or (not namespace and name in document.own.get(kind, {})):
                        continue
                    first = seen.setdefault((namespace, name), found)
                    if found.body is not first.body:
                        hint = f"they are at {first.key.mark} and {found.key.mark}; import one into a namespace of its own"
                        document.reading.error("S205", f"{kind} type {name} comes from two imported files", node.mark, hint)
