"""A disk that does not start is mended from the rescue image; what a server holds becomes an image; an instance says itself when it is made."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from command_line import run
from disks_of_guests import inside
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

HOST = "private://rescue"
SERVER = "  {name}: {{type: 'SE::Server', properties: {{image: {image}, memory: 160, shutdown_timeout: 1, ready: {{gate: running}}}}}}\n"
HEAD = "heat_template_version: 2018-08-31\nresources:\n"


def disk_image(folder: Path) -> Path:
    """A disk with a file system and nothing that boots."""
    (folder / "tree").mkdir()
    (folder / "tree" / "fstab").write_text("broken\n")
    image = folder / "disk.raw"
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-d", str(folder / "tree"), str(image), "16M"], check=True)
    return image


def up(state: Path, text: str) -> None:
    (state / "stack.yaml").write_text(HEAD + text)
    run(state, "up", str(state / "stack.yaml"), "--name", "lost", "--host", HOST, "--yes")


def on(state: Path, server: str, script: str) -> str:
    """What a script prints in a guest, once its agent answers."""
    end = time.monotonic() + 180
    while run(state, "exec", "lost", server, "--", "echo", "here", code=None) != "here\n":
        assert time.monotonic() < end, f"the agent of {server} does not answer"
        time.sleep(1)
    return run(state, "exec", "lost", server, "--", "sh", "-c", script).strip()


def test_a_disk_that_does_not_start_is_mended_and_copied(state: Path) -> None:
    disk_image(state)
    broken = SERVER.format(name="web", image="./disk.raw")
    up(state, broken)
    run(state, "rescue", "lost", "web", "--yes")
    look = "mkdir -p /mnt/root; mount /dev/vda /mnt/root; cat /mnt/root/fstab"
    assert on(state, "web", look) == "broken"
    assert inside(state, "lost", "web", "echo mended >/mnt/root/fstab; umount /mnt/root; hostname; cat /proc/cmdline | wc -l") == "web\n1"
    run(state, "unrescue", "lost", "web", "--yes")
    run(state, "drift", "lost")

    run(state, "images", "capture", "golden", "lost", "web")
    up(state, broken + SERVER.format(name="twin", image="golden"))
    run(state, "rescue", "lost", "twin", "--yes")
    assert on(state, "twin", look) == "mended"
    run(state, "down", "lost", "--yes")
    assert "golden" in str(json.loads(run(state, "images", "rm", "golden", "--json"))["things"])
    assert "golden" not in run(state, "images", "ls", "--json")


SIGNALLING = {
    "Resources": {
        "Web": {
            "Type": "AWS::EC2::Instance", "CreationPolicy": {"ResourceSignal": {"Timeout": "PT10M"}},
            "Properties": {"ImageId": "tiny", "InstanceType": "t3.nano", "UserData": {"Fn::Base64": {"Fn::Sub": "#!/bin/sh\necho done >/root/mark\n"
                           "/opt/aws/bin/cfn-signal -e $? --stack ${AWS::StackName} --resource Web --region ${AWS::Region}\n"}}},
        },
        "After": {"Type": "SE::None", "DependsOn": "Web"},
    }
}  # fmt: skip


def test_an_instance_is_made_when_it_says_so_and_failed_when_it_says_that(state: Path) -> None:
    (state / "own.json").write_text(json.dumps(SIGNALLING))
    run(state, "up", str(state / "own.json"), "--name", "own", "--host", HOST, "--yes")
    assert inside(state, "own", "Web", "cat /root/mark") == "done"
    told = [(e["event"], e["path"]) for e in map(json.loads, run(state, "events", "own", "--json").splitlines())]
    assert told.index(("signal.received", "Web")) < told.index(("action.ready", "Web")) < told.index(("action.begin", "After"))
    (state / "bad.json").write_text(json.dumps(SIGNALLING).replace("-e $?", "-e 3 -r 'it broke'"))
    assert "it broke" in run(state, "up", str(state / "bad.json"), "--name", "bad", "--host", HOST, "--yes", code=1)
    run(state, "down", "own", "--yes")
