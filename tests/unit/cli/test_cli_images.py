from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stackengine.cli.main import main
from stackengine.hosts.guest_image import manifest
from stackengine.hosts.images import catalogue
from unit.cli import cli_documents


def images(state: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["images", *words, "--state", str(state), "--json"]) == 0
    return cli_documents.check(json.loads(capsys.readouterr().out))["images"]


def test_every_image_of_the_catalogue_is_listed_and_says_whether_it_is_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = images(tmp_path, capsys, "ls")
    assert [i["name"] for i in found] == list(catalogue())
    assert {i["bytes_here"] for i in found} == {0}

    def fill(folder: Path) -> manifest.Manifest:
        (folder / "kernel").write_bytes(b"k" * 7)
        (folder / "initrd").write_bytes(b"i" * 5)
        parts = {"kernel": "kernel", "initrd": "initrd"}
        return manifest.Manifest("tiny", folder, "kernel", parts, {p: manifest.digest(folder / p) for p in parts})

    manifest.publish(tmp_path / "images" / "tiny" / "0123", fill)
    assert {i["name"]: i["bytes_here"] for i in images(tmp_path, capsys, "ls") if i["bytes_here"]} == {"tiny": 12}
    assert main(["images", "ls", "--state", str(tmp_path)]) == 0
    assert "yes, 0 MiB" in capsys.readouterr().out


def test_an_image_that_is_a_file_is_here_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes(bytes(512))
    assert [(i["name"], i["bytes_here"]) for i in images(tmp_path / "state", capsys, "build", str(disk))] == [(str(disk), 512)]


def test_an_unknown_image_is_a_fault_with_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "build", "tinny", "--state", str(tmp_path)]) == 1
    assert "did you mean tiny?" in capsys.readouterr().err
