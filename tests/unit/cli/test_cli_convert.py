"""``stack-run convert``: printed, written, or refused with what cannot be said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackengine.cli.main import main
from unit.cli import cli_documents

ROOT = Path(__file__).parents[3]
HELLO = ROOT / "templates/hello/hot/stack.yaml"


def test_it_prints_writes_or_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(HELLO), "--to", "cfn"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("AWSTemplateFormatVersion: '2010-09-09'\n")
    assert "Type: SE::Server" in text
    assert main(["convert", str(HELLO), "--to", "cfn", "-o", str(tmp_path / "o.yaml")]) == 0
    assert (tmp_path / "o.yaml").read_text() == text
    capsys.readouterr()
    assert main(["validate", str(tmp_path / "o.yaml")]) == 0
    assert main(["--json", "convert", str(HELLO), "--to", "tosca"]) == 0
    assert cli_documents.check(json.loads(capsys.readouterr().out))["language"] == "tosca"


def test_what_cannot_be_said_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        "heat_template_version: 2018-08-31\nparameters: {p: {type: string, default: a}}\nconditions: {c: {equals: [{get_param: p}, a]}}\n"
        "resources:\n  a: {type: SE::None, condition: c, properties: {value: {digest: [md5, {get_param: p}]}}}\n"
    )
    assert main(["--json", "convert", str(file), "--to", "tosca"]) == 3
    found = cli_documents.check(json.loads(capsys.readouterr().out))
    assert sorted((d["code"], d["mark"]["line"]) for d in found["diagnostics"]) == [("T201", 3), ("T201", 5), ("T201", 5)]
    assert main(["convert", str(file), "--to", "hot"]) == 0
    file.write_text("heat_template_version: 1\n")
    assert main(["convert", str(file), "--to", "cfn"]) == 3
