"""Types of every kind, found by name, with their ancestors (TOSCA 2.0, 6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stackengine.formats.tosca import profile, semantics
from stackengine.formats.tosca.documents import SECTIONS, Declared, Document
from stackengine.formats.tosca.reading import Reading, text
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import NOWHERE, Mark

if TYPE_CHECKING:
    from stackengine.formats.tosca.entities import Sections

SCALAR_UNITS = {"size": semantics.SIZE, "time": semantics.TIME, "frequency": semantics.FREQUENCY, "bitrate": semantics.BITRATE}
_PRIMITIVE = ("string", "integer", "float", "boolean", "timestamp", "version", "list", "map")
BUILT_IN = {
    "1": (*_PRIMITIVE, "range", "null", "scalar-unit", *(f"scalar-unit.{u}" for u in SCALAR_UNITS)),
    "2": (*_PRIMITIVE, "bytes", "nil", "scalar"),
}
_NETWORK_FUNCTIONS = re.compile(r"(tosca|toscanfv|tosca\.\w+)[.:](\w+\.)*(nfv|mec)\b")
_PROFILE_SCALARS = {"Size": "size", "Time": "time", "Frequency": "frequency", "Bitrate": "bitrate"}


@dataclass(slots=True, eq=False)
class Type:
    """One type; ``declared`` is None for data types that the language has itself."""

    kind: str
    name: str
    """As its file declares it."""
    declared: Declared | None = None
    parent: Type | None = None
    sections: Sections | None = field(default=None, repr=False)
    """What it defines, worked out when first asked for (:mod:`entities`)."""
    units: semantics.Units | None = None
    """Of a built-in scalar."""
    orphan: bool = False
    """It derives from a type that is nowhere: what that one gives is not known."""
    _ancestors: tuple[Type, ...] = ()
    _normative: str | None = None

    @property
    def mark(self) -> Mark:
        """Where it is declared."""
        return self.declared.key.mark if self.declared is not None else NOWHERE

    @property
    def body(self) -> Node:
        """Its definition."""
        assert self.declared is not None
        return self.declared.body

    @property
    def document(self) -> Document:
        """The file that declares it."""
        assert self.declared is not None
        return self.declared.document

    @property
    def normative(self) -> str:
        """The full name (``tosca.nodes.Compute``) of a type of the Simple Profile, also of one that a file defines again; empty for others."""
        if self._normative is None:
            prefix, document = profile.PREFIX[self.kind], self.declared.document if self.declared is not None else None
            again = document is not None and document.root is not None and document.reading.first and self.name.startswith(prefix)
            short = profile.short_name(self.kind, self.name) if again else self.name if document is not None and document.root is None else ""
            self._normative = prefix + short if short else ""
        return self._normative

    def ancestors(self) -> tuple[Type, ...]:
        """Itself, its parent, and so on."""
        if not self._ancestors:
            self._ancestors = (self, *self.parent.ancestors()) if self.parent is not None else (self,)
        return self._ancestors

    @property
    def incomplete(self) -> bool:
        """Whether a type above it is not known."""
        return any(a.orphan for a in self.ancestors())

    def is_a(self, other: Type) -> bool:
        """Whether it is the other type or derives from it."""
        if any(a is other for a in self.ancestors()):
            return True
        return other.normative != "" and any(a.normative == other.normative for a in self.ancestors())

    def nearest_normative(self) -> str:
        """The nearest type of the Simple Profile above it; empty where there is none."""
        return next((a.normative for a in self.ancestors() if a.normative), "")


class Catalog:
    """Every type that the files of one template can name."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, str, str], Type] = {}
        self._built_in: dict[str, Type] = {}
        self._opening: list[Declared] = []
        self._told: set[int] = set()

    def find(self, kind: str, name: str, document: Document) -> Type | None:
        """The type that a name means in a file."""
        if kind == "data":
            found = self._data(name, document)
            if found is not None:
                return found
        declared = document.find(kind, name)
        return self._of(kind, declared) if declared is not None else None

    def named(self, kind: str, node: Node | None, document: Document, what: str) -> Type | None:
        """The type that a node names; a name of nothing is reported (S220)."""
        name = text(node)
        if node is None or not name:
            return None
        found = self.find(kind, name, document)
        if found is None:
            self._unknown(kind, node, document, what)
        elif (kind, name) in document.borrowed:
            document.borrowed.discard((kind, name))
            hint = "another file of the template defines it: import that one"
            document.reading.lenient(f"{what}: {name} is not in this file nor in what it imports", node.mark, hint)
        return found

    def _unknown(self, kind: str, node: Node, document: Document, what: str) -> None:
        if any(d.failed for d in document.everything()):
            return
        if document.reading.first and _NETWORK_FUNCTIONS.match(node.text):
            document.failed = True
            hint = "import the file that defines it (of the profile for network functions, or of ETSI SOL001)"
            document.reading.error("S214", f"{what}: the {kind} type {node.text} is not here, and perhaps more of its profile", node.mark, hint)
            return
        for other in SECTIONS:
            if other != kind and document.find(other, node.text) is not None:
                hint = f"{node.text} is {'an' if other[0] in 'aeiou' else 'a'} {other} type"
                document.reading.error("S222", f"{what}: there is no {kind} type {node.text}", node.mark, hint)
                return
        known = [*document.visible(kind), *(BUILT_IN["1" if document.reading.first else "2"] if kind == "data" else ())]
        hint = did_you_mean(node.text, known)
        if not hint and not document.reading.first and profile.short_name(kind, node.text):
            hint = "import it: imports: [{profile: org.oasis-open.simple:2.0}]"
        document.reading.error("S220", f"{what}: there is no {kind} type {node.text}", node.mark, hint)

    def normative(self, kind: str, short: str) -> Type:
        """A type of the Simple Profile."""
        document = Document(profile.PLACE, None, _NOTHING_READ)
        declared = document.find(kind, short)
        assert declared is not None, short
        return self._of(kind, declared)

    def _data(self, name: str, document: Document) -> Type | None:
        name = name.removeprefix("tosca:")
        known = BUILT_IN["1" if document.reading.first or document.root is None else "2"]
        unit = name.removeprefix("scalar-unit.") if name.startswith("scalar-unit.") else ""
        if name not in known:
            simple = not document.reading.first and any(d.root is None for d in document.everything())
            unit = unit or (_PROFILE_SCALARS.get(name, "") if document.find("data", name) is None else "")
            if not simple or unit not in SCALAR_UNITS:
                return None
            name = f"scalar-unit.{unit}"
        found = self._built_in.get(name)
        if found is None:
            found = self._built_in[name] = Type("data", name, units=SCALAR_UNITS.get(unit))
        return found

    def _of(self, kind: str, declared: Declared) -> Type:
        place = (kind, declared.document.name, declared.key.text)
        found = self._types.get(place)
        if found is not None:
            return found
        found = self._types[place] = Type(kind, declared.key.text, declared)
        self._opening.append(declared)
        parent = declared.body.get("derived_from") if declared.body.kind == "map" else None
        found.parent = self._parent(found, parent)
        self._opening.pop()
        return found

    def _parent(self, child: Type, node: Node | None) -> Type | None:
        if node is None or not text(node):
            return None
        document = child.document
        own = document.own.get(child.kind, {}).get(node.text)
        if own is not None and own[1] is child.body:
            above = next((d.find(child.kind, node.text) for n, d in document.imports if not n and d.find(child.kind, node.text)), None)
            if above is not None:
                return self._of(child.kind, above)
        parent = self.named(child.kind, node, document, f"{child.kind} type {child.name}")
        if parent is None:
            child.orphan = True
            return None
        circle = parent
        while circle is not None and circle is not child:
            circle = circle.parent  # type: ignore[assignment]  # the walk ends at a type without a parent
        if circle is child:
            if id(child) not in self._told:
                self._told.add(id(child))
                document.reading.error("S221", f"{child.kind} type {child.name} derives from itself", node.mark)
            return None
        return parent

    def declared_in(self, document: Document) -> Iterator[Type]:
        """The types that a file declares itself."""
        for kind, own in document.own.items():
            for key, body in own.values():
                yield self._of(kind, Declared(document, key, body))


_NOTHING_READ = Reading("2.0", Diagnostics())
"""Nothing is reported of the profile: it is right."""
