"""Signals in what guests say on their consoles, and the way into a host's network by ssh."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackengine.hosts.consoles import AGAIN, Heard
from stackengine.hosts.over_ssh import SshGate, gate_of
from stackengine.hosts.reach import Direct


class Said:
    """A stream of libvirt that gives what a guest said, piece by piece, and then nothing more for now."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces: list[bytes | int] = [*pieces, AGAIN]

    def recv(self, _size: int) -> bytes | int:
        return self.pieces.pop(0) if len(self.pieces) > 1 else AGAIN

    def abort(self) -> None:
        self.pieces = [b""]


SIGNAL = b'stack-signal: {"handle": "h-1", "token": "secret", "status": "SUCCESS", "data": "1"}\r\n'


@pytest.mark.parametrize("cut", [0, 3, 20, len(SIGNAL) - 1, len(SIGNAL)])
def test_a_signal_is_taken_out_of_what_a_guest_says_wherever_it_is_cut(tmp_path: Path, cut: int) -> None:
    text = b"tiny[1.0] kernel\r\n"
    heard, got = Heard(Said(text + SIGNAL[:cut]), tmp_path / "c" / "u.log"), []
    receive = lambda handle, token, body: got.append((handle, token, json.loads(body)))  # noqa: E731
    assert heard.read(receive)
    heard._stream = Said(SIGNAL[cut:] + b"login: ")
    assert heard.read(receive)
    assert got == [("h-1", "secret", {"status": "SUCCESS", "data": "1"})]
    assert (tmp_path / "c" / "u.log").read_bytes() == text + b"login: "


def test_a_prompt_without_an_end_of_line_is_kept_at_once(tmp_path: Path) -> None:
    heard = Heard(Said(b"login: "), tmp_path / "u.log")
    heard.read()
    assert (tmp_path / "u.log").read_bytes() == b"login: "


def test_a_guest_that_has_said_nothing_has_an_empty_log(tmp_path: Path) -> None:
    Heard(Said(), tmp_path / "u.log").read()
    assert (tmp_path / "u.log").read_bytes() == b""


def test_half_a_signal_of_a_guest_that_stopped_does_not_stay_in_the_log(tmp_path: Path) -> None:
    heard = Heard(Said(b"x\n" + SIGNAL[:40]), tmp_path / "u.log")
    heard.read()
    heard.close()
    assert (tmp_path / "u.log").read_bytes() == b"x\n"


def test_the_gate_of_a_uri_is_as_libvirt_would_go_in() -> None:
    gate = gate_of("xen+ssh://root@dom0.example:2222/system?keyfile=/k&no_verify=1&proxy=native")
    assert isinstance(gate, SshGate)
    words = gate.command("fd00::1", 80, 5)
    assert words[-4:] == ["-W", "[fd00::1]:80", "--", "dom0.example"]
    assert tuple(words[words.index("-l") : words.index("-l") + 4]) == ("-l", "root", "-p", "2222")
    assert "/k" in words
    assert "StrictHostKeyChecking=no" in words


@pytest.mark.parametrize("uri", ["xen:///system", "qemu+tls://h/system", "test:///default", "", "/run/broker"])
def test_other_uris_have_no_gate(uri: str) -> None:
    assert gate_of(uri) is None


def test_ports_are_published_where_connections_get_in(tmp_path: Path) -> None:
    assert "publish" in Direct(tmp_path, "xen+ssh://h/system").features
    assert "publish" in Direct(tmp_path, "qemu:///system").features
    assert "publish" not in Direct(tmp_path, "xen+tls://h/system").features
