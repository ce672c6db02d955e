"""One state folder with a memory host in it, and the use cases on it in few words: what the tests of this folder live in."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from stackengine.cli.main import main
from stackengine.hosts.memory import MemoryHost
from stackengine.hosts.memory.faults import Faults
from stackengine.model.instance import Instance
from stackengine.service.session import Session
from stackengine.service.stacks import carry_out, preview, preview_down, resume
from stackengine.service.types import OperationResult, Preview, Request, Settings
from unit.cli.cli_documents import check

STACK = "shop"
HEAD = "heat_template_version: 2018-08-31\nresources:\n"


class House:
    """A stack called ``shop`` on ``memory://``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = Session(Settings(str(folder), "memory://"))

    def write(self, resources: str, name: str = "shop.yaml") -> Path:
        """A HOT file with these resources; whole text where it names its version."""
        text = textwrap.dedent(resources)
        file = self.folder / name
        file.write_text(text if "version" in text.lower() else HEAD + textwrap.indent(text, "  "))
        return file

    def plan(self, resources: str, **request: Any) -> Preview:
        """The plan of ``up``."""
        return preview(self.session, Request(STACK, self.write(resources), **request))

    def up(self, resources: str, *, allow: Collection[str] | None = None, **options: Any) -> OperationResult:
        """Plan and carry out."""
        return carry_out(self.session, self.plan(resources), allow=allow, **options)

    def down(self) -> OperationResult:
        """Delete the stack."""
        return carry_out(self.session, preview_down(self.session, STACK))

    def resume(self) -> OperationResult | None:
        """Finish what was begun."""
        return resume(self.session, STACK)

    @property
    def host(self) -> MemoryHost:
        """The memory host."""
        found = self.session.host("memory://")
        assert isinstance(found, MemoryHost)
        return found

    def faults(self, **faults: Any) -> Faults:
        """Let host calls go wrong from now on."""
        self.host.faults = Faults(**faults)
        return self.host.faults

    def instances(self) -> dict[str, Instance]:
        """The newest instance of each path."""
        row = self.session.store.stack(STACK)
        found = self.session.store.recorded(row.id).instances.values() if row else ()
        return {i.path: i for i in sorted(found, key=lambda i: i.generation)}

    def domains(self) -> dict[str, str]:
        """State by UUID."""
        return {d.uuid: d.state for d in self.host.domain_list()}

    def volumes(self) -> set[str]:
        """Names of the volumes in the default pool, without sidecar records and seeds."""
        return {v.name for v in self.host.volume_list("default") if not v.name.endswith((".json", ".iso"))}


def plan_of(found: Preview) -> list[str]:
    """Ids of the actions."""
    return list(found.plan.actions)


def run(house: House, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Run a command line in the house; its JSON documents, each checked against its schema."""
    capsys.readouterr()
    found = main([*words, "--state", str(house.folder), "--json"])
    said = capsys.readouterr()
    assert found == code, said.out + said.err
    decoder, documents, rest = json.JSONDecoder(), [], said.out.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(check(document))
        rest = rest[end:].strip()
    return documents
