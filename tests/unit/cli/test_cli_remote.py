"""What comes back from a remote: frames, as the wire has them, from a program that stands in the place of ssh."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stackengine.cli import remote_frames as wire
from stackengine.cli.main import main

WORDS = "größe 世界 🎉\n"


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What ssh is to send back."""
    answer, program = tmp_path / "answer", tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdout.buffer.write(open({str(answer)!r}, 'rb').read())\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.chdir(tmp_path)
    return answer


def asked(*words: str) -> int:
    return main([*words, "--remote", "ssh://there"])


def test_a_character_that_is_cut_by_a_frame_comes_whole(ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = WORDS.encode(), "Fehler: größer\n".encode()
    pieces = [wire.frame(kind, bytes([byte])) for pair in zip(out, err, strict=False) for kind, byte in zip("oe", pair, strict=True)]
    pieces += [wire.frame("o", out[len(err) :]), wire.frame("e", err[len(out) :])]
    ssh.write_bytes(b"".join(pieces) + wire.frame("x", b"4"))
    assert asked("ls") == 4
    said = capsys.readouterr()
    assert (said.out, said.err) == (WORDS, "Fehler: größer\n")


def test_what_is_no_text_is_seen_not_to_be(ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ssh.write_bytes(wire.frame("o", b"a\xffb ") + wire.frame("o", "ö".encode()[:1]) + wire.frame("x", b"0"))
    assert asked("ls") == 0
    assert capsys.readouterr().out == "a\ufffdb \ufffd"


def test_the_code_of_a_remote_that_cannot_be_had_is_that_of_every_failure(ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where another program's code is passed on there is one of our own."""
    ssh.write_bytes(b"")
    assert [asked("ls"), asked("show", "shop"), asked("env", "run", "--", "true")] == [1, 1, 125]
    ssh.with_name("bin").joinpath("ssh").unlink()
    assert [asked("ls"), asked("show", "shop"), asked("env", "ls")] == [1, 1, 1]
    assert "ssh is not installed" in capsys.readouterr().err
