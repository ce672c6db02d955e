"""Files of whole documents that are valid or invalid in one respect, for the conformance tests of each language.

``### name | ok`` or ``### name | bad`` begins a document; ``### PRE name`` a beginning that a line ``@name`` puts into others; ``### FILE name`` a
file beside them.
"""

from __future__ import annotations

import re
from pathlib import Path

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.formats.nesting import join
from stackengine.model.diagnostics import Diagnostics

TYPES = registry.load(entry_points=False)


class Files:
    """A reader of files that stand in the test."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def names(self) -> list[str]:
        return list(self._files)

    def read(self, name: str, relative_to: str) -> str:
        place = join(relative_to, name) if relative_to else name
        if place not in self._files:
            raise ValueError(f"{place} is not there")
        return self._files[place]


class Verdicts:
    """The documents of one file."""

    def __init__(self, path: Path) -> None:
        beginnings: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.cases: dict[str, tuple[str, bool]] = {}
        """By name: (text, whether it is valid)."""
        for part in re.split(r"^### ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            head, _, body = part.partition("\n")
            word, _, rest = head.partition(" ")
            if word == "PRE":
                beginnings[rest] = body
            elif word == "FILE":
                self.files[rest] = body
            else:
                name, _, verdict = head.rpartition(" | ")
                assert name not in self.cases, name
                text = re.sub(r"^@(\w+)\n", lambda m: beginnings[m[1]], body, flags=re.MULTILINE)
                self.cases[name] = text, verdict == "ok"

    def faults(self, name: str) -> list[str]:
        """What is wrong with a document: ``code line:column what``."""
        text = self.cases[name][0]
        diagnostics = Diagnostics()
        template = formats.load(text, "t.yaml", Files({**self.files, "t.yaml": text}), diagnostics)
        if template is not None:
            explore(template, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=diagnostics, missing="record")
        return [f"{d.code} {d.mark.line}:{d.mark.col} {d.summary}" for d in diagnostics.errors if d.code not in ("P102", "R112")]

    def otherwise(self) -> list[str]:
        """The documents that come out otherwise than they should."""
        wrong = []
        for name, (_, valid) in self.cases.items():
            found = self.faults(name)
            if valid == bool(found):
                wrong.append(f"{name}: {found or 'nothing was told'}")
        return wrong
