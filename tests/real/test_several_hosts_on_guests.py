"""One stack on two hosts: real guests on either side of a tunnel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joined_hosts import start

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

STACK = """heat_template_version: 2018-08-31
resources:
  net: {type: OS::Neutron::Net}
  range: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}}}
  apart: {type: OS::Nova::ServerGroup, properties: {policies: [anti-affinity]}}
  web: {type: 'SE::Server', properties: &guest {image: tiny, flavor: tiny, networks: [{network: {get_resource: net}}], ready: {gate: agent},
                                               placement: {groups: [{get_resource: apart}]}}}
  db: {type: 'SE::Server', properties: *guest}
outputs:
  web: {value: {get_attr: [web, address]}}
  db: {value: {get_attr: [db, address]}}
"""


def placed(state: Path, name: str) -> dict[str, str]:
    return {r["path"]: r["host"] for r in json.loads(run(state, "show", name, "--json"))["resources"]}


def outputs(state: Path, name: str) -> dict[str, str]:
    return {n: o["value"] for n, o in json.loads(run(state, "outputs", name, "--json"))["outputs"].items()}


def reaches(state: Path, stack: str, server: str, address: str) -> bool:
    """Whether an answer comes to one of ten pings: a guest whose agent answers may still wait for its address."""
    return "bytes from" in run(state, "exec", stack, server, "--", "ping", "-c10", "-W10", address, code=None)


def up(state: Path, folder: Path, name: str, text: str, *more: str) -> str:
    (folder / f"{name}.yaml").write_text(text)
    return run(state, "up", str(folder / f"{name}.yaml"), "--name", name, "--yes", *more)


def test_guests_on_two_hosts_reach_each_other(state: Path, tmp_path: Path) -> None:
    start(state, ("one", "two"))
    up(state, tmp_path, "span", STACK)
    hosts = placed(state, "span")
    assert {hosts["web"], hosts["db"]} == {"private://one", "private://two"}
    found = outputs(state, "span")
    assert reaches(state, "span", "web", found["db"])
    assert reaches(state, "span", "db", found["web"])
    assert run(state, "exec", "span", "db", "--", "hostname").strip() == "db"
    assert "No changes" in run(state, "plan", str(tmp_path / "span.yaml"), "--name", "span", code=None)
    assert json.loads(run(state, "drift", "span", "--json"))["differences"] == []
    run(state, "down", "span", "--yes")
    for name in ("one", "two"):
        assert private.find(name, state).forwarding() == {}
