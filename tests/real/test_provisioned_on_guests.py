"""A Debian guest with genuine cloud-init: the second environment starts from the first one's disk, where the first boot is done already, and is its own."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import run
from stackengine.hosts import private
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
TEMPLATE = """heat_template_version: 2018-08-31
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: 10.80.0.0/24}}
  served: {type: 'SE::WaitConditionHandle'}
  web:
    type: SE::Server
    properties:
      image: debian-12-lab
      memory: 384
      networks: [{network: {get_resource: net}}]
      user_data:
        str_replace:
          params: {$signal: {get_attr: [served, curl_cli]}}
          template: |
            #cloud-config
            BOOTCMD
            write_files:
              - path: /etc/systemd/system/page.service
                content: |
                  [Service]
                  ExecStart=/bin/busybox httpd -f -p 80 -h /srv
                  [Install]
                  WantedBy=multi-user.target
            runcmd:
              - mkdir -p /srv; echo served >/srv/index.html; echo first >>/var/lib/first-boot
              - systemctl enable --now page
              - |
                $signal --data-binary '{"status":"SUCCESS","data":"it is up"}'
  ready: {type: 'OS::Heat::WaitCondition', depends_on: web, properties: {handle: {get_resource: served}, timeout: 1500}}
  page: {type: 'SE::PublishedPort', depends_on: ready, properties: {server: {get_resource: web}, target_port: 80}}
outputs:
  url: {value: {get_attr: [page, url]}}
  said: {value: {get_attr: [ready, data]}}
"""
ASK = "; ".join(
    [
        "systemctl is-system-running --wait >/dev/null",  # the page may be there before the boot is at its end, and cloud-init with it
        *("wc -l </var/lib/first-boot", "cat /var/lib/every-boot 2>/dev/null | wc -l", "cat /etc/machine-id"),
        *("cat /etc/ssh/ssh_host_ed25519_key.pub", "hostname", "wc -l </root/.ssh/authorized_keys"),
        "[ -e /run/cloud-init/result.json ]; echo $?",
    ]
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [n for n in os.environ if n.startswith(("GITHUB", "GITLAB", "CI_", "JENKINS", "STACKENGINE_HOST"))]:
        monkeypatch.delenv(name)
    yield tmp_path / "state"
    for name in private.names(tmp_path / "state"):
        private.remove(name, tmp_path / "state")
    private.ready.end(tmp_path / "state")


def outputs(state: Path, branch: str) -> dict[str, Any]:
    found = json.loads(run(state, "env", "show", branch, "--repo", "git.example/shop", "--json"))["outputs"]
    return {k: v["value"] for k, v in found.items()}


def asked(state: Path, branch: str) -> list[str]:
    return run(state, "env", "ssh", "--repo", "git.example/shop", branch, "web", "--", ASK).strip().split("\n")


@pytest.mark.parametrize("every_boot", [False, True])
def test_the_first_boot_is_done_once(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every_boot: bool) -> None:
    """With a part of user data that is run at every boot, and without one, where cloud-init does not start again."""
    (tmp_path / "stack.yaml").write_text(TEMPLATE.replace("BOOTCMD", "bootcmd: ['echo boot >>/var/lib/every-boot']" if every_boot else "timezone: UTC"))
    run(state, "images", "build", "debian-12-lab")
    took = {}
    for branch in ("main", "x"):
        origin = ("--repo", "git.example/shop", "--branch", branch, "--commit", "1")
        start = time.monotonic()
        said = run(state, "env", "up", str(tmp_path / "stack.yaml"), "--provisioned", *origin, "--plain", code=None, seconds=2400)
        with urllib.request.urlopen(outputs(state, branch)["url"], timeout=60) as page:
            assert page.read().decode().strip() == "served"
        took[branch] = time.monotonic() - start
        with capsys.disabled():
            print(f"\n{branch}: {took[branch]:.0f} s")
        assert outputs(state, branch)["said"] in ('{"1": "it is up"}', outputs(state, "main")["said"]), said
    main, x = asked(state, "main"), asked(state, "x")
    assert (main[0], x[0]) == ("1", "1"), "the first boot's part was not run again"
    assert (main[1], x[1]) == (("1", "2") if every_boot else ("0", "0")), "that of every boot was"
    assert main[2] != x[2], "machine ids"
    assert main[3] != x[3], "host keys"
    assert (main[4], x[4]) == ("web", "web")
    assert (main[5], x[5]) == ("1", "1"), "only the key of the stack itself may log in"
    assert (main[6], x[6]) == ("0", "0" if every_boot else "1"), "cloud-init ran"
    assert took["x"] < took["main"] * (1 if every_boot else 0.6)
    run(state, "env", "reap", "--all")
    assert list(private.names(state)) == []
    assert not list((state / "cuts").iterdir())
