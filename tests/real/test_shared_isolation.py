"""Environments beside each other on one host, whose templates name the same range: both are up at once, each at a range and an address of its own."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stackengine import service
from stackengine.hosts import private
from stackengine.hosts.private import requirements
from stackengine.service.grounds import subnets_of
from stackengine.service.types import Settings

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string}
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: 10.80.0.0/24, gateway: 10.80.0.200}}
  served: {type: 'SE::WaitConditionHandle'}
  web:
    type: SE::Server
    properties:
      image: tiny
      networks: [{network: {get_resource: net}}]
      user_data:
        str_replace:
          params: {$signal: {get_attr: [served, signal]}, $commit: {get_param: commit}}
          template: |
            #!/bin/sh
            mkdir -p /srv; echo $commit >/srv/index.html
            httpd -p 80 -h /srv
            $signal SUCCESS
  ready: {type: 'OS::Heat::WaitCondition', depends_on: web, properties: {handle: {get_resource: served}, timeout: 400}}
  page: {type: 'SE::PublishedPort', depends_on: ready, properties: {server: {get_resource: web}, target_port: 80}}
outputs:
  url: {value: {get_attr: [page, url]}}
  range: {value: {get_attr: [net, cidr]}}
"""
HOST = "private://together"


def start(state: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE"))}
    command = [sys.executable, "-m", "stackengine.cli.main", "env", *arguments, "--host", HOST]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environ, "STACKENGINE_STATE": str(state)}, cwd=folder)


def ended(job: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = job.communicate(timeout=900)
    assert job.returncode == code, out + err
    return out, err


def test_two_that_name_the_same_range_at_once(state: Path, tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    private.ensure("together", state)
    words = ("up", "stack.yaml", "--repo", "git.example/shop", "--isolation", "shared", "--remap-cidr")
    said = [ended(j) for j in [start(state, tmp_path, *words, "--branch", b, "--commit", b, "--param", f"commit={b}") for b in ("main", "x")]]
    found = {e["branch"]: e["outputs"] for e in json.loads(ended(start(state, tmp_path, "ls", "--json"))[0])}
    for branch, outputs in found.items():
        with urllib.request.urlopen(outputs["url"]["value"], timeout=30) as page:
            assert page.read().decode().strip() == branch
    one, other = (ipaddress.ip_network(o["range"]["value"]) for o in found.values())
    assert not one.overlaps(other)
    assert ipaddress.ip_network("10.80.0.0/24") in (one, other)
    assert sum("in its place" in out + err for out, err in said) == 1
    refused = start(state, tmp_path, "up", "stack.yaml", "--repo", "git.example/shop", "--isolation", "shared", "--branch", "y", "--param", "commit=y")
    assert "10.80.0.0/24 is taken on private://together: the stack shop-" in ended(refused, 3)[1]
    with service.open(Settings(str(state))) as session:
        networks = session.host(HOST).network_list()
        assert sorted(s for n in networks for s in subnets_of(n.xml)) == sorted(map(str, (one, other)))
        gateways = {ip.get("address") for n in networks for ip in ET.fromstring(n.xml).findall("ip")}
        assert gateways == {str(one[200]), str(other[200])}
    ended(start(state, tmp_path, "reap", "--all"))
    with service.open(Settings(str(state))) as session:
        host = session.host(HOST)
        assert (host.domain_list(), host.network_list()) == ([], [])
