"""What the doctor concludes from what it sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stackengine.hosts.doctor import accelerator, checks, examine
from stackengine.hosts.doctor.accelerator import Boot, Probe


class Connection:
    """As much of a connection as is asked about itself."""

    def getInfo(self) -> list[Any]:  # noqa: N802
        return ["x86_64"]

    def getVersion(self) -> int:  # noqa: N802
        return 7_002_000


@pytest.mark.parametrize(
    ("kvm", "emulated", "found"),
    [
        (Boot(0.1), Boot(0.1), "kvm"),
        (Boot(3.0), Boot(5.0), "kvm"),  # the machine is busy, not KVM slow
        (Boot(3.0, cpu=0.3), Boot(5.0, cpu=0.3), "kvm"),
        (Boot(3.0, cpu=1.6), Boot(5.0, cpu=0.2), "qemu"),  # the machine is busy, and KVM slow
        (Boot(3.0), Boot(problem="the guest hangs"), ""),  # nobody knows: it is not remembered
        (Boot(3.0), Boot(problem="not supported", started=False), "kvm"),
        (Boot(3.0), Boot(0.1), "qemu"),  # every exit is emulated
        (Boot(problem="the guest hangs"), Boot(0.1), "qemu"),
        (Boot(problem="not supported"), Boot(problem="no emulator"), ""),
    ],
)
def test_the_accelerator_is_the_one_that_ran_a_guest(kvm: Boot, emulated: Boot, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "boot", lambda _connection, name, _limit=0.0: kvm if name == "kvm" else emulated)
    probe = accelerator.probe(Connection())
    assert probe.accelerator == found
    assert bool(probe.reason) == (found != "kvm")


def test_a_result_is_remembered_until_the_ground_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKENGINE_ACCELERATOR", raising=False)
    probed: list[int] = []

    def probe(_connection: Any) -> Probe:
        probed.append(1)
        return Probe("kvm", 0.1)

    monkeypatch.setattr(accelerator, "probe", probe)
    assert [accelerator.remembered(Connection(), tmp_path) for _ in range(3)] == ["kvm"] * 3
    assert len(probed) == 1
    file = tmp_path / "probe.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "ground": ["another machine"]}))
    accelerator.remembered(Connection(), tmp_path)
    file.write_text("{")
    accelerator.remembered(Connection(), tmp_path)
    assert len(probed) == 3
    monkeypatch.setenv("STACKENGINE_ACCELERATOR", "qemu")
    assert accelerator.remembered(Connection(), tmp_path) == "qemu"


def test_a_host_on_which_nothing_runs_is_not_remembered_as_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "probe", lambda _connection: Probe("", reason="no guest runs"))
    accelerator.probe_accelerator(Connection(), tmp_path)
    assert not (tmp_path / "probe.json").exists()


def test_a_simulated_host_needs_no_examination(tmp_path: Path) -> None:
    assert [r.status for r in examine("memory://", tmp_path)] == ["ok"]


def test_what_is_missing_is_a_problem_with_its_cure_and_the_host_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackengine.hosts.private.packages.which", lambda _program: None)
    found = list(examine("private://one", tmp_path))
    problem = next(r for r in found if r.status == "problem")
    assert (problem.check, "apt-get install" in problem.mend) == ("packages", True)
    assert (found[-1].check, found[-1].status) == ("host", "skipped")
    assert not (tmp_path / "hosts").exists()


def test_kvm_is_looked_at_with_the_eyes_of_the_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "kvm"
    assert checks.kvm_device(device).status == "warning"
    device.touch(0o660)
    assert checks.kvm_device(device).status == "ok"
    monkeypatch.setattr("os.getuid", lambda: 54321)
    closed = checks.kvm_device(device)
    assert (closed.status, "setfacl" in closed.mend) == ("warning", True)
    device.chmod(0o666)
    assert checks.kvm_device(device).status == "ok"


@pytest.mark.parametrize(
    ("uri", "local"), [("qemu:///system", True), ("qemu+unix:///system?socket=/x", True), ("qemu+ssh://host/system", False), ("xen://host/", False)]
)
def test_local_uris_are_told_from_remote_ones(uri: str, local: bool) -> None:
    assert checks.is_local(uri) == local
