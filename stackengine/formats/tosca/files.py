"""Files that operations bring into the guest: what they run, what that needs beside it, and artifacts of the node (Simple Profile 1.3, 3.6.7 and 4.8.1)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from stackengine.formats.reader import Reader
from stackengine.formats.tosca.artifacts import Artifact
from stackengine.formats.tosca.interfaces import Implementation
from stackengine.formats.tosca.reading import text
from stackengine.formats.tosca.topology import NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.template import Source

LOCAL = "LOCAL_FILE"
"""Where ``get_artifact`` asks for a file in the guest, wherever that is."""


def place_of(artifact: Artifact, location: str = "") -> str:
    """Where an artifact lies in the guest: where it is asked for, where it is to be deployed, else by its name in the folder of the operation."""
    path = location if location not in ("", LOCAL) else artifact.deploy_path
    return posixpath.join(path, posixpath.basename(artifact.file)) if path.endswith("/") else path or artifact.file


def source_of(artifact: Artifact) -> str:
    """Where an artifact is read from: its file, or its place in its repository."""
    base = next((d.repositories[artifact.repository] for d in artifact.document.everything() if artifact.repository in d.repositories), "")
    return f"{base.rstrip('/')}/{artifact.file}" if base else artifact.file


class Files:
    """Reads them, each as seen from the file that names it; what cannot be read is told (S275)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.sources: list[Source] = []

    @staticmethod
    def named(name: str, node: NodeTemplate, implementation: Implementation) -> tuple[str, str]:
        """(file, artifact type) of an artifact's name, or of a file."""
        artifact = node.artifacts.get(name) or implementation.artifact
        if artifact is None:
            return name, ""
        return source_of(artifact), artifact.type.nearest_normative() if artifact.type is not None else ""

    def read(self, file: str, relative_to: str, step: str, implementation: Implementation) -> str | None:
        """The text of a file."""
        try:
            found = self._reader.read(file, relative_to)
        except (OSError, ValueError) as error:
            implementation.document.reading.diagnostics.warning("S275", f"{step}: {error}", implementation.mark, "the operation cannot run without it")
            return None
        self.sources.append(Source(file, found))
        return found

    def beside(self, step: str, node: NodeTemplate, implementation: Implementation, inputs: Iterable[Node]) -> list[dict[str, str]]:
        """What a deployment puts into the guest for an operation: its dependencies, and the artifacts that the node deploys or its inputs ask for."""
        found: dict[str, tuple[str, str, str]] = {}
        beside = posixpath.dirname(self.named(text(implementation.primary), node, implementation)[0])
        for dependency in implementation.dependencies:
            artifact = node.artifacts.get(dependency.text)
            file = source_of(artifact) if artifact is not None else dependency.text
            for place in _places(place_of(artifact) if artifact is not None else file, beside):
                found[place] = (file, implementation.document.name, "755")
        asked = {name: location for value in inputs for name, location in _asked(value, node)}
        for name, artifact in node.artifacts.items():
            if (name in asked or artifact.deploy_path) and not _is_image(artifact):
                found.setdefault(place_of(artifact, asked.get(name, "")), (source_of(artifact), artifact.document.name, "644"))
        contents = {path: (self.read(file, relative_to, step, implementation), mode) for path, (file, relative_to, mode) in found.items()}
        return [{"path": path, "content": content, "mode": mode} for path, (content, mode) in contents.items() if content is not None]


def _places(path: str, beside: str) -> Iterator[str]:
    """Where a script looks for what it depends on: where it is in the archive, and where it is as seen from the script. Never out of its folder."""
    if posixpath.isabs(path):
        yield path
        return
    inside = posixpath.normpath(path)
    yield inside.lstrip("./") if inside.startswith("..") else inside
    if beside and inside.startswith(f"{posixpath.normpath(beside)}/"):
        yield posixpath.relpath(inside, beside)


def _asked(value: Node, node: NodeTemplate) -> Iterator[tuple[str, str]]:
    """(name, location) of the node's artifacts that a value asks for by ``get_artifact``."""
    for key, argument in value.entries:
        if key.text in ("get_artifact", "$get_artifact") and argument.kind == "list" and len(argument.items) >= 2:
            if text(argument.items[0]) in ("SELF", node.name):
                yield text(argument.items[1]), text(argument.items[2]) if len(argument.items) > 2 else ""
        else:
            yield from _asked(argument, node)
    for item in value.items:
        yield from _asked(item, node)


def _is_image(artifact: Artifact) -> bool:
    """Images are what a server is made of; nobody copies them into it."""
    return artifact.type is not None and any(a.normative == "tosca.artifacts.Deployment.Image" for a in artifact.type.ancestors())
