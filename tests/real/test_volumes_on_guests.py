"""Volumes of a real guest: copied while it writes, grown as it runs and as it stands, encrypted, read by many, throttled, kept when their stack goes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from command_line import run
from disks_of_guests import GIB, HEAD, attached, content, device, guest, inside, shown, volume
from stackengine.hosts import open_host, private
from stackengine.hosts.private import requirements
from stackengine.sdk import Host

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

HOST = "private://volumes"


def up(state: Path, stack: str, resources: str, *more: str, code: int = 0) -> str:
    (state / "stack.yaml").write_text(HEAD + resources)
    return run(state, "up", str(state / "stack.yaml"), "--name", stack, "--host", HOST, "--yes", "--allow", "replace", *more, code=code)


@pytest.fixture
def host(state: Path) -> Host:
    return open_host(HOST, state)


def test_a_life_of_data(state: Path) -> None:
    base = guest("web") + volume("data", "size: 1", "Snapshot") + attached("web", "data")
    up(state, "life", base)
    disk = device(state, "life", "web", "data")
    inside(state, "life", "web", f"mke2fs {disk} >/dev/null 2>&1; mkdir -p /mnt/data; mount {disk} /mnt/data; echo one >/mnt/data/file; sync")

    snapshot = "  before: {type: 'SE::VolumeSnapshot', depends_on: web-data, properties: {volume: {get_resource: data}}}\n"
    up(state, "life", base + snapshot)  # while it is mounted and written to
    inside(state, "life", "web", "echo two >/mnt/data/file; sync")
    grown = base.replace("size: 1", "size: 2") + snapshot
    restored = volume("old", "source: {get_resource: before}") + attached("web", "old")
    up(state, "life", grown + restored)  # live resize, and a volume of the snapshot beside it
    assert int(inside(state, "life", "web", f"blockdev --getsize64 {disk}")) == 2 * GIB
    assert content(state, "life", "web", "old") == "one"
    assert content(state, "life", "web", "data") == "two"
    assert "L108" in up(state, "life", base + snapshot + restored, code=3)
    assert content(state, "life", "web", "data") == "two"

    inside(state, "life", "web", "umount /mnt/data /mnt/old")
    parked = guest("web", ", power: stopped") + grown.removeprefix(guest("web")) + restored
    up(state, "life", parked)
    up(state, "life", parked.replace("size: 2", "size: 3"))  # as it stands
    up(state, "life", parked.replace("size: 2", "size: 3").replace(", power: stopped", ""))
    assert int(inside(state, "life", "web", f"blockdev --getsize64 {device(state, 'life', 'web', 'data')}")) == 3 * GIB
    assert content(state, "life", "web", "data") == "two"
    inside(state, "life", "web", "umount /mnt/data")

    kept = f"{shown(state, 'life')['data']['physical_id'].removesuffix('.qcow2')}-kept.qcow2"
    run(state, "down", "life", "--yes")
    up(state, "after", guest("web") + volume("again", f"source: default/{kept}, format: raw") + attached("web", "again"))
    assert content(state, "after", "web", "again") == "two"
    run(state, "down", "after", "--yes")


def test_an_encrypted_volume_is_plain_in_the_guest_only(state: Path, host: Host) -> None:
    marker = "a sentence that must not be on the host's disk"
    for format_ in ("qcow2", "raw"):
        base = guest("web") + volume("data", f"size: 1, format: {format_}, encrypted: true, passphrase: correct horse") + attached("web", "data")
        up(state, "sealed", base)
        disk = device(state, "sealed", "web", "data")
        inside(state, "sealed", "web", f"echo {marker!r} | dd of={disk} bs=4096 seek=10 conv=notrunc,fsync 2>/dev/null")
        snapshot = "  before: {type: 'SE::VolumeSnapshot', depends_on: web-data, properties: {volume: {get_resource: data}}}\n"
        copy = volume("copy", f"source: {{get_resource: before}}, format: {format_}, encrypted: true") + attached("web", "copy")
        up(state, "sealed", base + snapshot + copy)
        copied = device(state, "sealed", "web", "copy")
        assert inside(state, "sealed", "web", f"dd if={copied} bs=4096 skip=10 count=1 2>/dev/null | head -n 1") == marker
        up(state, "sealed", base.replace("size: 1", "size: 2") + snapshot + copy)
        assert int(inside(state, "sealed", "web", f"blockdev --getsize64 {disk}")) >= 2 * GIB - (16 << 20)
        for name in ("data", "before", "copy"):
            found = host.volume_info("default", shown(state, "sealed")[name]["physical_id"])
            assert found is not None
            assert subprocess.run(["grep", "-c", marker, found.path], capture_output=True, text=True, check=False).stdout.strip() == "0"
            told = subprocess.run(["qemu-img", "info", "-U", found.path], capture_output=True, text=True, check=True).stdout
            assert "luks" in told
        log = run(state, "events", "sealed") + run(state, "show", "sealed", "--json")
        assert "horse" not in log
        run(state, "down", "sealed", "--yes")
    connection = libvirt.open(private.find("volumes", state).libvirt_uri)
    assert connection.listSecrets() == []
    connection.close()


def test_many_read_one_volume_and_none_writes(state: Path) -> None:
    first = guest("web") + volume("common", "size: 1, format: raw") + attached("web", "common")
    up(state, "many", first)
    inside(state, "many", "web", f"echo common | dd of={device(state, 'many', 'web', 'common')} conv=notrunc,fsync 2>/dev/null")
    up(state, "many", guest("web") + volume("common", "size: 1, format: raw"))  # the writer goes first
    readers = guest("web") + guest("db") + volume("common", "size: 1, format: raw")
    readers += "".join(attached(s, "common", ", read_only: true") for s in ("web", "db"))
    up(state, "many", readers)
    for server in ("web", "db"):
        disk = device(state, "many", server, "common")
        assert inside(state, "many", server, f"dd if={disk} bs=7 count=1 2>/dev/null") == "common"
        assert inside(state, "many", server, f"echo x | dd of={disk} conv=notrunc,fsync 2>&1 || echo refused").endswith("refused")
    run(state, "down", "many", "--yes")


def test_how_a_disk_is_attached_and_limited_as_it_runs(state: Path, host: Host) -> None:
    said = ", bus: scsi, cache: none, discard: unmap, serial: se-data"
    base = guest("web") + volume("data", "size: 1, format: raw, wipe: true")
    up(state, "tuned", base + attached("web", "data", said))
    inside(state, "tuned", "web", "ls /sys/class/block/ | grep -q '^sd' || sleep 2")
    disk = "/dev/" + inside(state, "tuned", "web", "ls /sys/class/block | grep '^sd' | head -n 1")
    assert disk.startswith("/dev/sd")
    seconds = "s=$(cut -d. -f1 /proc/uptime); dd if={} of=/dev/null bs=1M count=16 iflag=direct 2>/dev/null; e=$(cut -d. -f1 /proc/uptime); echo $((e-s))"
    inside(state, "tuned", "web", f"dd if=/dev/urandom of={disk} bs=1M count=64 conv=fsync 2>/dev/null")
    found = host.volume_info("default", shown(state, "tuned")["data"]["physical_id"])
    assert found is not None
    used = Path(found.path).stat().st_blocks * 512
    inside(state, "tuned", "web", f"blkdiscard {disk} 2>/dev/null || fstrim {disk}", code=None)
    fast = int(inside(state, "tuned", "web", seconds.format(disk)))
    up(state, "tuned", base + attached("web", "data", said + ", limits: {total_bytes: 2097152}"))
    slow = int(inside(state, "tuned", "web", seconds.format(disk)))
    assert slow >= fast + 4, (fast, slow)
    up(state, "tuned", base + attached("web", "data", said))
    assert int(inside(state, "tuned", "web", seconds.format(disk))) < slow - 3
    assert used >= 64 << 20
    run(state, "down", "tuned", "--yes")


def test_a_volume_is_wiped_and_one_of_a_file_holds_that_file(state: Path, host: Host) -> None:
    data = state / "data.img"
    data.write_bytes(b"content of a file" + bytes((1 << 20) - 17))
    resources = guest("web") + volume("raw", f"size: 1, format: raw, image: {data}") + volume("layer", f"size: 1, image: {data}")
    up(state, "files", resources + attached("web", "raw") + attached("web", "layer"))
    for name in ("raw", "layer"):
        assert inside(state, "files", "web", f"dd if={device(state, 'files', 'web', name)} bs=17 count=1 2>/dev/null") == "content of a file"
    name = shown(state, "files")["raw"]["physical_id"]
    run(state, "stop", "files", "web", "--yes")
    assert host.volume_download("default", name, 17) == b"content of a file"
    host.volume_wipe("default", name)
    assert host.volume_download("default", name, 17) == bytes(17)
    run(state, "down", "files", "--yes")
