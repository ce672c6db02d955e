"""``stack-run evaluate``: what a template says in its own language, and beside it what it is here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stackengine.cli.main import main
from unit.cli import cli_documents

HOT = "heat_template_version: 2018-08-31\n"
CHILD = HOT + "parameters: {size: {type: number}}\nresources: {disk: {type: 'OS::Cinder::Volume', properties: {size: {get_param: size}}}}\n"
TEXT = (
    HOT
    + """
parameters:
  size: {type: number}
  secret: {type: string, hidden: true, default: s3}
conditions:
  big: {equals: [{get_param: size}, 9]}
resources:
  net: {type: 'OS::Neutron::Net'}
  alarm: {type: 'OS::Aodh::Alarm', properties: {meter_name: m, threshold: {get_param: size}}, depends_on: web}
  odd: {type: 'My::Thing', properties: {url: {get_attr: [alarm, show]}}}
  web:
    type: OS::Nova::Server
    properties: {image: tiny, flavor: tiny, name: {if: [big, large, small]}, networks: [{network: {get_resource: net}}], user_data: {get_param: secret}}
  extra: {type: 'OS::Nova::Server', condition: big, properties: {image: tiny, flavor: tiny}}
  box: {type: child.yaml, properties: {size: {get_param: size}}}
outputs:
  ip: {value: {get_attr: [web, first_address]}, description: the address}
  secret: {value: {get_param: secret}}
"""
)


@pytest.fixture
def evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(text: str, *more: str, command: str = "evaluate", name: str = "t.yaml") -> tuple[int, dict[str, Any]]:
        (tmp_path / name).write_text(text)
        (tmp_path / "child.yaml").write_text(CHILD)
        code = main([command, str(tmp_path / name), "--json", *more])
        return code, cli_documents.check(json.loads(capsys.readouterr().out))

    return run


def test_it_shows_the_language_and_beside_it_the_native_side(evaluated: Any) -> None:
    code, found = evaluated(TEXT, "--param", "size=3")
    assert code == 0
    assert found["valid"]
    assert found["parameters"] == {"size": 3, "secret": "***"}
    assert found["conditions"] == {"big": False}
    assert list(found["resources"]) == ["net", "alarm", "odd", "web", "box", "box/disk"]
    web = found["resources"]["web"]
    assert web["properties"]["networks"] == [{"network": {"$unknown": "net"}}]
    assert (web["properties"]["name"], web["properties"]["user_data"]) == ("small", "***")
    assert web["native"]["type"] == "SE::Server"
    assert found["outputs"]["ip"] == {"value": {"$unknown": "web.first_address"}, "description": "the address", "sensitive": False}
    assert found["outputs"]["secret"]["value"] == "***"
    assert found["resources"]["alarm"]["properties"] == {"meter_name": "m", "threshold": 3}
    assert found["resources"]["alarm"]["native"] is None
    assert found["resources"]["odd"]["properties"] == {"url": {"$unknown": "alarm.show"}}
    assert {(e["from"], e["needs"], e["need"]) for e in found["edges"]} == {
        ("alarm", "web", "ready"), ("odd", "alarm", "configured"), ("web", "net", "configured")
    }  # fmt: skip
    assert found["resources"]["box"]["nested"] == "stack"
    assert found["scopes"]["box"]["parameters"] == {"size": 3}
    assert [(d["code"], d["severity"]) for d in found["diagnostics"]] == [("R110", "warning"), ("R101", "warning")]


def test_secrets_are_shown_when_asked_for(evaluated: Any) -> None:
    _, found = evaluated(TEXT, "--param", "size=3", "--show-secrets")
    assert found["parameters"]["secret"] == found["outputs"]["secret"]["value"] == found["resources"]["web"]["properties"]["user_data"] == "s3"


def test_what_is_missing_is_an_error_and_the_rest_is_shown(evaluated: Any) -> None:
    code, found = evaluated(TEXT)
    assert code == 3
    assert not found["valid"]
    assert [d["code"] for d in found["diagnostics"] if d["severity"] == "error"] == ["P102"]
    assert found["parameters"]["size"] == {"$unknown": "parameter size"}
    assert found["resources"]["web"]["properties"]["image"] == "tiny"


def test_a_template_that_cannot_be_read_shows_nothing_but_why(evaluated: Any) -> None:
    code, found = evaluated("a: [")
    assert (code, found["resources"], [d["code"] for d in found["diagnostics"]]) == (3, {}, ["T101"])


def test_a_nested_template_that_cannot_be_read_is_a_warning(evaluated: Any) -> None:
    text = HOT + "resources:\n  box: {type: 'http://x.example/a.yaml', properties: {a: 1}}\n  b: {type: SE::None, properties: {value: {get_attr: [box, c]}}}\n"
    code, found = evaluated(text)
    assert (code, [d["code"] for d in found["diagnostics"]]) == (0, ["N101"])
    assert found["resources"]["b"]["properties"] == {"value": {"$unknown": "box.c"}}


@pytest.mark.parametrize(("more", "wanted"), [((), [("R110", "error"), ("R101", "error")]), (("--accept-inert",), [("R110", "notice"), ("R110", "notice")])])
def test_types_that_are_not_supported_are_errors_elsewhere_unless_accepted(evaluated: Any, more: tuple[str, ...], wanted: list[tuple[str, str]]) -> None:
    code, found = evaluated(TEXT, "--param", "size=3", *more, command="validate")
    assert [(d["code"], d["severity"]) for d in found["diagnostics"]] == wanted
    assert code == (0 if more else 3)


def test_a_computed_deletion_policy_that_is_none_is_told_by_validate(evaluated: Any) -> None:
    text = HOT + "parameters: {keep: {type: string, default: Bogus}}\nresources: {a: {type: SE::None, deletion_policy: {get_param: keep}}}\n"
    code, found = evaluated(text, command="validate")
    assert (code, [d["code"] for d in found["diagnostics"]]) == (3, ["R116"])


def test_what_is_only_recorded_gives_its_own_properties_and_its_id(tmp_path: Path) -> None:
    from stackengine import formats, registry
    from stackengine.evaluate import evaluate
    from stackengine.model.diagnostics import Diagnostics

    text = HOT + "resources:\n  a: {type: 'OS::Neutron::MeteringLabel', properties: {name: q}}\n"
    text += "  b: {type: SE::None, properties: {value: [{get_attr: [a, name]}, {get_attr: [a, shared]}]}}\n"
    diagnostics = Diagnostics()
    template = formats.load(text, "t.yaml", formats.NoReader(), diagnostics)
    assert template is not None
    found = evaluate(template, {}, registry.load(entry_points=False), stack_name="s", stack_id="1", diagnostics=diagnostics, missing="record")
    assert found is not None
    assert (found.desired.resources["a"].type, found.desired.resources["a"].properties) == ("SE::None", {"value": {"name": "q"}})
    name, href = found.desired.resources["b"].properties["value"]
    assert (name, href.describe()) == ("q", "a")
