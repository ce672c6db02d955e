"""The project file: found upwards, precedence, every fault told with its place, and nothing in it that only a machine's owner may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.cli.main import main
from stackengine.formats.tree import compose
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.service import project

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  greeting: {type: string}
  other: {type: string, default: none}
resources:
  thing: {type: 'SE::None', properties: {value: {get_param: greeting}}}
outputs:
  greeting: {value: {get_param: greeting}}
  other: {value: {get_param: other}}
"""
WHOLE = """template: deploy/stack.yaml
name: shop
host: memory://
parameters: {greeting: hello}
lifetimes: {ttl: 2d}
contexts:
  ci: {name: shop-ci, parameters: {greeting: from ci}}
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    (folder / "deploy" / "deep").mkdir(parents=True)
    (folder / "deploy" / "stack.yaml").write_text(TEMPLATE)
    (folder / project.FILE).write_text(WHOLE)
    monkeypatch.chdir(folder / "deploy" / "deep")
    for name in ("STACKENGINE_HOST", "STACKENGINE_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STACKENGINE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


def codes(folder: Path, text: str, context: str = "", allowed: Allowed = NOTHING) -> list[tuple[str, int]]:
    (folder / project.FILE).write_text(text)
    try:
        project.read(folder / project.FILE, context, allowed)
    except InvalidTemplateError as error:
        return [(d.code, d.mark.line) for d in error.diagnostics.errors]
    return []


def outputs(capsys: pytest.CaptureFixture[str], stack: str) -> dict[str, str]:
    capsys.readouterr()
    assert main(["outputs", stack, "--json"]) == 0
    return {k: v["value"] for k, v in json.loads(capsys.readouterr().out)["outputs"].items()}


def test_a_bare_up_is_enough_and_the_later_word_wins(checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["up", "--yes"]) == 0
    assert outputs(capsys, "shop") == {"greeting": "hello", "other": "none"}
    assert main(["up", "--yes", "--context", "ci"]) == 0
    assert outputs(capsys, "shop-ci")["greeting"] == "from ci"
    monkeypatch.setenv("STACKENGINE_PARAM_greeting", "of the variable")
    monkeypatch.setenv("STACKENGINE_PARAM_other", "also")
    monkeypatch.setenv("STACKENGINE_PARAM_unknown", "no harm")
    assert main(["up", "--yes"]) == 0
    assert outputs(capsys, "shop") == {"greeting": "of the variable", "other": "also"}
    assert main(["up", "--yes", "--param", "greeting=said", "--name", "named"]) == 0
    assert outputs(capsys, "named")["greeting"] == "said"


def test_show_config_says_where_each_value_came_from(checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKENGINE_HOST", "memory://other")
    assert main(["show", "--config", "--context", "ci", "--json"]) == 0
    found = {s["setting"]: (s["value"], s["from"]) for s in json.loads(capsys.readouterr().out)["settings"]}
    assert found["template"] == (str(checkout / "deploy" / "stack.yaml"), "stackengine.yaml:1:11")
    assert found["host"] == ("memory://other", "STACKENGINE_HOST")
    assert found["name"] == ("shop-ci", "stackengine.yaml:7:14")
    assert found["ttl"] == (172800.0, "stackengine.yaml:5:18")
    assert found["context"] == ("ci", "--context")
    assert found["isolation"] == ("host", "default")
    assert found["parameters.greeting"][0] == "from ci"


def test_it_is_not_looked_for_above_the_repository(checkout: Path) -> None:
    (checkout / "deploy" / ".git").mkdir()
    assert project.find(checkout / "deploy" / "deep") is None
    assert project.find(checkout) == checkout / project.FILE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1]", [("E301", 1)]),
        ("templat: x", [("E302", 1)]),
        ("name: 1x\nisolation: maybe", [("E303", 1), ("E303", 2)]),
        ("state: /var\ntypes: [x]\nallow: {}", [("E304", 1), ("E304", 2), ("E304", 3)]),
        ("template: ../../outside.yaml", [("E305", 1)]),
        ("template: none.yaml", [("E306", 1)]),
        ("context: dev\ncontexts: {ci: {}}", [("E307", 1)]),
        ("contexts: {ci: {hots: x}}", [("E302", 1)]),
        ("host: 'qemu+ext:///system?command=/tmp/x'", [("E308", 1)]),
        ("host: 'private://x?y=1'", [("E308", 1)]),
        ("remote: 'ssh://-oProxyCommand=x'", [("E308", 1)]),
        ("lifetimes: {ttl: soon}", [("E303", 1)]),
        ("a: 1\na: 2", [("T104", 2)]),
    ],
)
def test_every_fault_has_its_place(checkout: Path, text: str, expected: list[tuple[str, int]]) -> None:
    assert codes(checkout, text) == expected


def test_what_lies_outside_by_a_link_is_outside(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("x")
    (checkout / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    assert codes(checkout, "template: link.yaml") == [("E305", 1)]
    assert codes(checkout, "template: link.yaml", allowed=Allowed(files=(str(tmp_path),))) == []


def test_a_host_that_the_owner_lists_may_be_named(checkout: Path) -> None:
    assert codes(checkout, "host: qemu:///system", allowed=Allowed(hosts=("qemu:///system",))) == []


def test_without_a_template_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["up", "--state", str(tmp_path / "s")]) == 2
    assert "in a stackengine.yaml" in capsys.readouterr().err


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_gives_a_project_or_diagnostics(text: str) -> None:
    file = Path("/nowhere/stackengine.yaml")
    try:
        reader = project._Reader(file, Allowed(), found := Diagnostics())
        root = compose(text, str(file), found)
        if root is not None:
            reader.project(root, "")
    except InvalidTemplateError:
        pass
