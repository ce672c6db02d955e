"""Flavors of the template's own: their size, what their extra specs make of a server, and what has no effect."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine import service
from stackengine.service import stacks
from stackengine.service.types import Request, Settings

pytestmark = pytest.mark.thorough

TEMPLATE = """heat_template_version: 2018-08-31
resources:
  small:
    type: OS::Nova::Flavor
    properties: {ram: %d, vcpus: 2, disk: 3, extra_specs: {"hw:cpu_cores": 2, "hw:watchdog_action": reset, "hw:numa_nodes": "2", "os:secure_boot": required%s}}
  server:
    type: OS::Nova::Server
    properties: {image: 'https://images.example/debian-12.qcow2', flavor: {get_resource: small}}
"""


def up(folder: Path, memory: int, more: str = "") -> tuple[ET.Element, dict[str, str], list[str]]:
    """(domain, verbs by path, notices)."""
    (folder / "stack.yaml").write_text(TEMPLATE % (memory, more))
    with service.open(Settings(state=str(folder / "state"), host="memory://")) as session:
        preview = stacks.preview(session, Request("s", folder / "stack.yaml"))
        result = stacks.carry_out(session, preview)
        assert result.status == "complete", result.failures
        verbs: dict[str, str] = {f"{a.path}@{a.instance.generation}": a.verb for a in preview.plan.actions.values()}
        notices = [d.summary for d in preview.diagnostics.items]
        return ET.fromstring(session.host("memory://").domain_list()[0].xml), verbs, notices


def test_a_server_has_the_size_and_the_machine_of_its_flavor(tmp_path: Path) -> None:
    domain, _, notices = up(tmp_path, 256, ', "hw:emulator_threads_policy": share')
    assert (domain.findtext("memory"), domain.findtext("vcpu")) == ("256", "2")
    assert domain.find("cpu/topology[@cores='2']") is not None
    assert [c.get("memory") for c in domain.findall("cpu/numa/cell")] == ["128", "128"]
    assert domain.find("devices/watchdog[@action='reset']") is not None
    assert domain.find("os/firmware/feature[@name='secure-boot'][@enabled='yes']") is not None
    assert [n for n in notices if "hw:emulator_threads_policy" in n]


def test_another_size_restarts_its_servers_and_replaces_none(tmp_path: Path) -> None:
    before, _, _ = up(tmp_path, 256)
    after, verbs, _ = up(tmp_path, 512)
    assert (before.findtext("uuid"), after.findtext("memory")) == (after.findtext("uuid"), "512")
    assert verbs["server@1"] == "update"


@pytest.mark.parametrize("name", ["m1.nano", "small"])
def test_flavors_by_name_stay_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "stack.yaml").write_text(
        f"heat_template_version: 2018-08-31\nresources:\n  a: {{type: 'OS::Nova::Server', properties: {{image: tiny, flavor: {name}}}}}\n"
    )
    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as session:
        if name == "m1.nano":
            assert stacks.preview(session, Request("s", tmp_path / "stack.yaml")).plan.actions
        else:
            with pytest.raises(Exception, match="no flavor small"):
                stacks.preview(session, Request("s", tmp_path / "stack.yaml"))
