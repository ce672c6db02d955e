"""What guests and owners expect: a metadata service that tells each guest its own, a config drive, no spoofing, a screen, and all of it back after a reboot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  guarded: {type: boolean, default: false}
  folder: {type: string}
resources:
  net: {type: 'SE::Network', properties: {cidr: auto, mode: isolated}}
  a:
    type: SE::Server
    metadata:
      AWS::CloudFormation::Init: {config: {files: {/srv/index.html: {content: page}}, commands: {open: {command: httpd -p 80 -h /srv}}}}
    properties:
      image: tiny
      flavor: tiny
      metadata: {role: web}
      networks: [{network: {get_resource: net}}]
      ready: {gate: cloud-init}
      user_data: |
        #!/bin/sh
        cfn-init -v --stack own --resource a
  b:
    type: SE::Server
    properties:
      image: tiny
      flavor: tiny
      seed: config-drive
      vnc: {}
      anti_spoofing: {get_param: guarded}
      metadata_service: {tokens: required}
      networks: [{network: {get_resource: net}}]
      ready: {gate: cloud-init}
      user_data: |
        #!/bin/sh
        echo configured >/root/mark
  c:
    type: SE::Server
    properties:
      image: tiny
      flavor: tiny
      shares: [{path: {get_param: folder}, tag: data}]
      networks: [{network: {get_resource: net}}]
      ready: {gate: agent}
      user_data: '{"ignition": {"version": "3.4.0"}}'
  page: {type: 'SE::PublishedPort', properties: {server: {get_resource: a}, target_port: 80}}
outputs:
  a: {value: [{get_resource: a}, {get_attr: [a, address]}, {get_attr: [a, mac]}]}
  b: {value: [{get_resource: b}, {get_attr: [b, address]}, {get_attr: [b, mac]}]}
  url: {value: {get_attr: [page, url]}}
"""
SERVICE = "http://169.254.169.254"


def up(state: Path, guarded: bool) -> None:
    (state / "stack.yaml").write_text(TEMPLATE)
    parameters = ["--param", f"guarded={str(guarded).lower()}", "--param", f"folder={state / 'share'}"]
    run(state, "up", str(state / "stack.yaml"), "--name", "own", "--host", "private://own", "--yes", *parameters)


def inside(state: Path, server: str, script: str) -> str:
    return run(state, "exec", "own", server, "--", "sh", "-c", script, code=None)


def code_of(state: Path, server: str, path: str, *options: str) -> str:
    return inside(state, server, f"curl -s -o /tmp/answer -w '%{{http_code}}' {' '.join(options)} {SERVICE}{path}").strip()[-3:]


def the(state: Path, server: str) -> tuple[str, str, str]:
    uuid, address, mac = json.loads(run(state, "outputs", "own", server, "--json"))["value"]
    return uuid, address, mac


def page(port: int) -> bytes:
    """What the published port gives, once it does."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                found = b"".join(iter(lambda: client.recv(4096), b""))
                if found:
                    return found
        except OSError:
            pass
        time.sleep(0.3)
    return b""


def test_guests_are_told_their_own_and_owners_get_all_of_it_back(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state / "config" / "stackengine").mkdir(parents=True)
    (state / "config" / "stackengine" / "owner.yaml").write_text(json.dumps({"allow": {"devices": [str(state / "share")]}}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(state / "config"))
    (state / "share").mkdir()
    (state / "share" / "hello").write_text("from the host\n")
    up(state, guarded=False)
    (uuid_a, address_a, mac_a), (uuid_b, address_b, mac_b) = the(state, "a"), the(state, "b")

    assert json.loads(inside(state, "a", f"curl -s {SERVICE}/openstack/latest/meta_data.json"))["uuid"] == uuid_a
    assert json.loads(inside(state, "a", f"curl -s {SERVICE}/openstack/2018-08-27/meta_data.json"))["meta"] == {"role": "web"}
    assert "cfn-init" in inside(state, "a", f"curl -s {SERVICE}/openstack/latest/user_data")
    assert inside(state, "a", f"curl -s {SERVICE}/2009-04-04/meta-data/local-ipv4").strip() == address_a
    assert code_of(state, "b", "/latest/meta-data/instance-id") == "401"
    asked = f"curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {SERVICE}/latest/api/token"
    assert uuid_b in inside(state, "b", f'curl -s -H "X-aws-ec2-metadata-token: $({asked})" {SERVICE}/latest/meta-data/instance-id')
    assert "configured" in inside(state, "b", "cat /root/mark")
    assert "ConfigDrive" in inside(state, "b", "cat /run/cloud-init/result.json")

    assert "from the host" in inside(state, "c", "modprobe virtiofs; mount -t virtiofs data /mnt && cat /mnt/hello")
    inside(state, "c", "echo from the guest >/mnt/answer")
    assert (state / "share" / "answer").read_text() == "from the guest\n"
    assert '{"ignition"' in inside(state, "c", "modprobe qemu_fw_cfg; cat /sys/firmware/qemu_fw_cfg/by_name/opt/com.coreos/config/raw")

    # b says that it is a: the bridge knows better
    way = f"gate=$(ip route | awk '/via/ {{print $3; exit}}'); ip route add 169.254.169.254 via $gate dev eth0 src {address_a}"
    inside(state, "b", f"ip link set eth0 address {mac_a}; ip addr add {address_a}/24 dev eth0; {way}")
    assert code_of(state, "b", "/openstack/latest/meta_data.json") == "404"
    inside(state, "b", f"ip route del 169.254.169.254 src {address_a}; ip addr del {address_a}/24 dev eth0; ip link set eth0 address {mac_b}")
    assert code_of(state, "b", "/openstack/latest/meta_data.json") == "200"

    up(state, guarded=True)
    stranger = address_a.rpartition(".")[0] + ".250"
    inside(state, "b", f"ip addr add {stranger}/24 dev eth0")
    assert "1 packets received" in inside(state, "b", f"ping -c 1 -W 2 -I {address_b} {address_a}")
    assert "1 packets received" not in inside(state, "b", f"ping -c 1 -W 2 -I {stranger} {address_a}")

    looks_at_the_screen(state)

    port = int(run(state, "outputs", "own", "url").strip().rpartition(":")[2].strip("/"))
    assert b"page" in page(port)
    os.kill(private.find("own", state).pid or 0, signal.SIGKILL)  # as a reboot does: nothing of the host runs any more
    (brought,) = json.loads(run(state, "hosts", "autostart", "--now", "--json"))["stacks"]
    assert (brought["started"], brought["problem"]) == (["a", "b", "c"], "")
    assert b"page" in page(port)
    assert json.loads(inside(state, "a", f"curl -s {SERVICE}/openstack/latest/meta_data.json"))["uuid"] == uuid_a
    run(state, "down", "own", "--yes")
    assert private.find("own", state).metadata() == {}


def looks_at_the_screen(state: Path) -> None:
    """It is there with a password while the command runs."""
    command = [sys.executable, "-m", "stackengine.cli.main", "console", "own", "b", "--vnc", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "STACKENGINE_STATE": str(state)}) as showing:
        assert showing.stdout is not None
        told = json.loads(showing.stdout.readline())
        assert len(told["password"]) == 8
        with socket.create_connection((told["address"], told["port"]), 10) as client:
            version = client.recv(12)
            assert version.startswith(b"RFB 003.008")
            client.sendall(version)
            count = client.recv(1)[0]
            assert client.recv(count) == b"\x02"  # VNC authentication and nothing else (RFC 6143, 7.1.2)
        showing.send_signal(signal.SIGINT)
        showing.wait(20)
