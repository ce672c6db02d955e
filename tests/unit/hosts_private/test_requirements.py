"""What is missing is named, with the way to mend it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stackengine.hosts import private
from stackengine.hosts.private import launch, mounts, packages, requirements
from stackengine.hosts.private.paths import paths_of
from stackengine.sdk import HostError

SUBUID = "# comment\nada:100000:65536\n1007:200000:1000\n"


def test_missing_programs_name_their_packages_once_each() -> None:
    assert packages.missing({"no-such-program": "some-package", "nor-this-one": "some-package", "sh": "dash"}) == ["some-package"]
    assert packages.missing({"/no/such/file": "other", "/etc/passwd": "base-passwd"}) == ["other"]


def test_no_package_brings_a_service_or_a_kernel_to_the_machine() -> None:
    every = {**packages.PROGRAMS, **packages.ROOTLESS, **packages.OUTBOUND, **packages.BINDING}
    assert not {"libvirt-daemon-system", "qemu-guest-agent", "linux-image-cloud-amd64"} & set(every.values())


def test_the_list_of_packages_can_be_read_without_anything_of_ours_installed() -> None:
    said = subprocess.run([sys.executable, "-I", packages.__file__], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "dnsmasq:dnsmasq-base" in said
    assert all(line.count(":") == 1 for line in said)


def test_the_account_that_libvirt_looks_up_is_added_to_what_the_host_sees_where_it_is_missing(tmp_path: Path) -> None:
    passwd, group = tmp_path / "passwd", tmp_path / "group"
    passwd.write_text("root:x:0:0:root:/root:/bin/bash\n")
    group.write_text("root:x:0:\nlibvirt-qemu:x:64055:libvirt-qemu\n")
    added = mounts.accounts(str(passwd), str(group))
    assert list(added) == [str(passwd)]
    assert [line.split(":")[0] for line in added[str(passwd)].splitlines()] == ["root", "libvirt-qemu"]


@pytest.mark.parametrize(("name", "uid", "size"), [("ada", 1001, 65536), ("bob", 1007, 1000), ("eve", 1008, 0)])
def test_a_users_range_is_found_by_name_or_by_number(name: str, uid: int, size: int) -> None:
    assert requirements.range_of(SUBUID, name, uid) == size


def test_a_start_without_packages_says_which_and_that_it_can_be_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "which", lambda _program: None)
    with pytest.raises(HostError, match=r"packages are not installed: .*libvirt-daemon") as refused:
        private.ensure("one", tmp_path)
    assert "apt-get install" in refused.value.hint
    assert "memory://" in refused.value.hint


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".cache", "-x", "a b", "x" * 64])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HostError, match="is no name of a host"):
        private.ensure(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_state_where_the_host_has_its_own_folders_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "requirements", lambda *, outbound, switch: [])
    with pytest.raises(HostError, match="below /run cannot be seen"):
        launch.check(paths_of("one", Path("/run/state")), outbound=False)


def test_a_host_that_never_was_is_not_found(tmp_path: Path) -> None:
    assert private.names(tmp_path) == []
    with pytest.raises(HostError, match="no private host one"):
        private.find("one", tmp_path)
