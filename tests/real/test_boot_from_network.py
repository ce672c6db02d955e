"""A guest without disk and image boots what its network's DHCP names and its TFTP gives: iPXE, a script, a kernel with its initrd."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts.private import requirements

lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

IMAGE = """heat_template_version: 2018-08-31
resources:
  tiny: {type: SE::Image, properties: {source: tiny}}
outputs:
  kernel: {value: {get_attr: [tiny, kernel]}}
  initrd: {value: {get_attr: [tiny, initrd]}}
"""
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: SE::Network, properties: {cidr: auto, tftp: %s, boot_file: boot.ipxe}}
  web:
    type: SE::Server
    properties:
      boot: network
      memory: 256
      networks: [{network: {get_resource: net}}]
      ready: {gate: agent, timeout: 400}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that dnsmasq can read, which is not root when it serves files."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_guest_boots_what_its_network_gives(state: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(state / "config"))
    (state / "config" / "stackengine").mkdir(parents=True)
    host = ("--host", "private://pxe", "--yes")
    (state / "image.yaml").write_text(IMAGE)
    run(state, "up", str(state / "image.yaml"), "--name", "image", *host)
    given = {k: json.loads(run(state, "outputs", "image", k, "--json"))["value"] for k in ("kernel", "initrd")}
    for part in ("kernel", "initrd"):
        shutil.copy(given[part], folder / part)
        (folder / part).chmod(0o644)
    (folder / "boot.ipxe").write_text("#!ipxe\nkernel kernel initrd=initrd console=ttyS0 quiet panic=-1 edd=off by=network\ninitrd initrd\nboot\n")
    (state / "stack.yaml").write_text(TEMPLATE % folder)
    (state / "config" / "stackengine" / "owner.yaml").write_text(json.dumps({"allow": {"devices": [str(folder)]}}))
    run(state, "up", str(state / "stack.yaml"), "--name", "pxe", *host)
    assert "by=network" in run(state, "exec", "pxe", "web", "--", "cat", "/proc/cmdline")
    run(state, "down", "pxe", "--yes")
    run(state, "down", "image", "--yes")
