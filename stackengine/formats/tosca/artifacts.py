"""Artifact definitions (TOSCA 2.0, chapter 12; Simple Profile 1.3, 3.6.7)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.reading import Pairs, is_null, text
from stackengine.formats.tosca.types import Catalog, Type
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.mark import Mark


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that belongs to a node."""

    name: str
    type: Type | None
    file: str
    repository: str
    deploy_path: str
    properties: Pairs
    document: Document
    mark: Mark


class Artifacts:
    """Reads artifact definitions."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def map_of(self, entries: Pairs, document: Document, above: dict[str, Artifact], what: str) -> dict[str, Artifact]:
        """Artifacts by name; one that is there already is redefined as a whole."""
        found = dict(above)
        for key, node in entries:
            artifact = self.read(key, node, document, what, above.get(key.text) if document.reading.first else None)
            if artifact is not None:
                found[key.text] = artifact
        return found

    def read(self, key: Node, node: Node, document: Document, what: str, above: Artifact | None = None) -> Artifact | None:
        """One artifact: a map, or (1.x) the name of its file; ``above``: the one of its type that gives what it leaves out."""
        label = f"artifact {key.text} of {what}"
        if node.kind == "scalar" and not is_null(node) and document.reading.first:
            return Artifact(key.text, self._by_extension(node.text, document), node.text, "", "", (), document, key.mark)
        typeless = document.reading.first and node.kind == "map" and node.get("type") is None and node.get("file") is not None
        given = ("type", "file") if above is not None else ("type",) if typeless else ()
        body = document.reading.entity(node, "artifact", label, key.mark, given=given)
        if body is None:
            return None
        if above is not None and (body.get("type") is None or body.get("file") is None):
            return self._filled(key, body, above)
        if given:
            document.reading.lenient(f"{label} has no type", key.mark, "type: tosca.artifacts.File, for example")
        if body.get("checksum") is not None and body.get("checksum_algorithm") is None:
            document.reading.error("S274", f"{label} has a checksum, so it needs a checksum_algorithm", key.mark)
        repository = body.get("repository")
        if repository is not None and text(repository) and not any(repository.text in d.repositories for d in document.everything()):
            known = [r for d in document.everything() for r in d.repositories]
            document.reading.error("S213", f"there is no repository {repository.text}", repository.mark, did_you_mean(repository.text, known))
        properties = body.get("properties")
        return Artifact(
            key.text, self._catalog.named("artifact", body.get("type"), document, label), text(body.get("file")), text(repository),
            text(body.get("deploy_path")), properties.entries if properties is not None and properties.kind == "map" else (), document, key.mark,
        )  # fmt: skip

    @staticmethod
    def _filled(key: Node, body: Node, above: Artifact) -> Artifact:
        """What an artifact of the type is where a template says only some of it."""
        said = {k.text: v for k, v in body.entries}
        properties = said["properties"].entries if "properties" in said and said["properties"].kind == "map" else above.properties
        return replace(
            above, file=text(said.get("file")) or above.file, repository=text(said.get("repository")) or above.repository,
            deploy_path=text(said.get("deploy_path")) or above.deploy_path, properties=properties, mark=key.mark,
        )  # fmt: skip

    def _by_extension(self, file: str, document: Document) -> Type | None:
        kind = {".sh": "Implementation.Bash", ".py": "Implementation.Python"}.get(posixpath.splitext(file)[1], "File")
        return self._catalog.find("artifact", f"tosca.artifacts.{kind}", document)
