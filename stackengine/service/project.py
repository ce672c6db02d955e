"""The project file ``stackengine.yaml``: what a repository says of its stack, so that nobody has to say it on every command line.

It comes out of a checkout, and people run the checkouts of pull requests: it names files of its own folder only, and never what the owner of the
machine decides (where state lives, which code and paths are allowed, pools and quotas).

E301 not a mapping, E302 an unknown key, E303 a wrong value, E304 what only the machine's owner says, E305 a file outside the project's folder,
E306 a file that is not there, E307 an unknown context, E308 a host or remote that a checkout may not name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stackengine.formats.build import plain
from stackengine.formats.tree import Node, compose
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError, did_you_mean
from stackengine.model.duration import duration
from stackengine.model.mark import Mark

FILE = "stackengine.yaml"
OWNERS = ("state", "types", "allow", "pools", "quotas", "files", "commands", "python", "urls", "devices", "key")
"""Keys that somebody may look for here, and that only the machine's owner sets, outside any checkout."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}")
_SSH = re.compile(r"(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and where it was said."""

    value: Any
    mark: Mark


@dataclass(frozen=True, slots=True)
class Project:
    """A project file as it counts in one context; keys of ``lifetimes`` stand beside the others as ``ttl`` and so on."""

    file: Path
    context: str = ""
    values: Mapping[str, Said] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        said = self.values.get(key)
        return default if said is None else said.value


def is_remote(text: str) -> bool:
    """Whether ``text`` is ``ssh://[USER@]HOST[:PORT]`` and nothing else: no option can hide in it."""
    return text.startswith("ssh://") and _SSH.fullmatch(text.removeprefix("ssh://").rstrip("/")) is not None


def find(folder: Path) -> Path | None:
    """The project file of ``folder``: there or above, no further up than the top of the git repository or a home folder."""
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / FILE).is_file():
            return place / FILE
        if (place / ".git").exists() or place == Path.home():
            return None
    return None


def read(file: Path, context: str = "", allowed: Allowed = NOTHING) -> Project:
    """The project as it counts in ``context`` (empty: the one that the file names as its own); InvalidTemplateError with all that is wrong with it."""
    diagnostics = Diagnostics()
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        diagnostics.error("E306", f"the project file cannot be read: {error}", Mark(str(file), 1, 1, 1, 1))
        raise InvalidTemplateError(diagnostics) from error
    root = compose(text, str(file), diagnostics) if text.strip() else Node("map", Mark(str(file), 1, 1, 1, 1))
    found = _Reader(file, allowed, diagnostics).project(root, context) if root is not None else None
    if found is None or diagnostics.errors:
        raise InvalidTemplateError(diagnostics)
    return found


class _Reader:
    """Reads one file."""

    def __init__(self, file: Path, allowed: Allowed, diagnostics: Diagnostics) -> None:
        self._file, self._folder, self._allowed, self._diagnostics = file, file.parent.resolve(), allowed, diagnostics
        self._keys: dict[str, Callable[[Node], Any]] = {
            "template": self._path,
            "name": self._name,
            "host": self._host,
            "remote": self._remote,
            "repository": self._text,
            "parameters": self._parameters,
            "param_files": self._paths,
            "environment_files": self._paths,
            "isolation": lambda node: self._one_of(node, ("host", "shared")),
            "while_busy": lambda node: self._one_of(node, ("overtake", "queue", "refuse")),
            "remap_cidr": self._yes_or_no,
            "provisioned": self._yes_or_no,
            "closed_pull_request": lambda node: self._one_of(node, ("keep", "end")),
            "collect": self._texts,
        }

    def project(self, root: Node, context: str) -> Project | None:
        """The whole file."""
        if root.kind != "map":
            self._diagnostics.error("E301", "a project file is a mapping", root.mark, ", ".join(sorted(self._keys)))
            return None
        values = dict(self._section(root, also=("context", "contexts")))
        contexts = root.get("contexts")
        if contexts is not None and contexts.kind != "map":
            self._diagnostics.error("E303", "contexts must be a mapping of names", contexts.mark)
            contexts = None
        known = {k.text: dict(self._section(v)) for k, v in contexts.entries} if contexts is not None else {}  # each is checked, used or not
        chosen = root.get("context")
        name = context or (chosen.text if chosen is not None else "")
        if name and name not in known:
            mark = root.mark if context or chosen is None else chosen.mark
            hint = did_you_mean(name, known) or (f"it has: {', '.join(known)}" if known else "it has no contexts")
            self._diagnostics.error("E307", f"the project has no context {name}", mark, hint)
        more = known.get(name, {})
        if "parameters" in more and "parameters" in values:
            more["parameters"] = Said({**values["parameters"].value, **more["parameters"].value}, more["parameters"].mark)
        return Project(self._file, name, {**values, **more})

    def _section(self, node: Node, also: tuple[str, ...] = ()) -> Iterator[tuple[str, Said]]:
        if node.kind != "map":
            self._diagnostics.error("E303", "a context must be a mapping", node.mark)
            return
        for key, value in node.entries:
            reader = self._keys.get(key.text)
            if key.text in also:
                continue
            if key.text == "lifetimes":
                yield from self._lifetimes(value)
            elif reader is not None:
                read = reader(value)
                if read is not None:
                    yield key.text, Said(read, value.mark)
            elif key.text in OWNERS:
                hint = "a checkout cannot set it: see owner.yaml, --state, --types"
                self._diagnostics.error("E304", f"{key.text} is for the owner of the machine to say", key.mark, hint)
            else:
                hint = did_you_mean(key.text, (*self._keys, "lifetimes", *also)) or ", ".join(self._keys)
                self._diagnostics.error("E302", f"a project file has no key {key.text}", key.mark, hint)

    def _lifetimes(self, node: Node) -> Iterator[tuple[str, Said]]:
        if node.kind != "map":
            self._diagnostics.error("E303", "lifetimes must be a mapping of ttl and idle_ttl", node.mark)
            return
        for key, value in node.entries:
            seconds = duration(value.text) if value.kind == "scalar" else None
            if key.text not in ("ttl", "idle_ttl"):
                self._diagnostics.error("E302", f"there is no lifetime {key.text}", key.mark, "ttl, idle_ttl")
            elif seconds is None:
                self._wrong(value, "a time", "90s, 30m, 8h or 2d")
            else:
                yield key.text, Said(seconds, value.mark)

    def _wrong(self, node: Node, what: str, hint: str = "") -> None:
        self._diagnostics.error("E303", f"this must be {what}", node.mark, hint)

    def _text(self, node: Node) -> str | None:
        if node.kind == "scalar" and node.text:
            return node.text
        self._wrong(node, "a text")
        return None

    def _texts(self, node: Node) -> list[str] | None:
        if node.kind != "list":
            self._wrong(node, "a list of texts")
            return None
        return [t for t in map(self._text, node.items) if t is not None]

    def _one_of(self, node: Node, words: tuple[str, ...]) -> str | None:
        if node.kind == "scalar" and node.text in words:
            return node.text
        self._wrong(node, f"one of {', '.join(words)}", did_you_mean(node.text, words))
        return None

    def _yes_or_no(self, node: Node) -> bool | None:
        if node.kind == "scalar" and node.text in ("true", "false"):
            return node.text == "true"
        self._wrong(node, "true or false")
        return None

    def _name(self, node: Node) -> str | None:
        text = self._text(node)
        if text is not None and not _NAME.fullmatch(text):
            self._wrong(node, "a stack's name", "a letter, then up to 62 of letters, digits, '.', '_', '-'")
            return None
        return text

    def _parameters(self, node: Node) -> dict[str, Any] | None:
        if node.kind != "map":
            self._wrong(node, "a mapping of parameters")
            return None
        return {k.text: plain(v, "yaml11") for k, v in node.entries}

    def _path(self, node: Node) -> Path | None:
        text = self._text(node)
        if text is None:
            return None
        path = (self._folder / text).resolve()
        if not path.is_relative_to(self._folder) and not self._allowed.may_read(str(path)):
            self._diagnostics.error("E305", f"{text} is outside the project's folder", node.mark, "a project names files of its own folder")
            return None
        if not path.is_file():
            self._diagnostics.error("E306", f"{text}: no such file", node.mark)
            return None
        return path

    def _paths(self, node: Node) -> list[Path] | None:
        if node.kind != "list":
            self._wrong(node, "a list of files")
            return None
        return [p for p in map(self._path, node.items) if p is not None]

    def _host(self, node: Node) -> str | None:
        """A private or memory host; any other only where the machine's owner lists it: a libvirt URI can name a program to run."""
        text = self._text(node)
        if text is None:
            return None
        parts = urlsplit(text)
        if (parts.scheme in ("private", "memory") and not parts.query) or text in self._allowed.hosts:
            return text
        hint = "private://NAME or memory://NAME; others with --host, or where owner.yaml lists them (allow.hosts)"
        self._diagnostics.error("E308", f"a project file may not choose the host {text}", node.mark, hint)
        return None

    def _remote(self, node: Node) -> str | None:
        text = self._text(node)
        if text is not None and not is_remote(text):
            self._diagnostics.error("E308", f"{text} is no remote", node.mark, "ssh://[USER@]HOST[:PORT]")
            return None
        return text
