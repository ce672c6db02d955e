from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
import pytest

from stackengine.cli.render import diagnostics, graph, hosts, outputs, sarif, stacks
from stackengine.cli.render.plan_data import plan_data
from stackengine.cli.telling import conclude, introduce
from stackengine.cli.terminal import Terminal
from stackengine.cli.views import JsonView
from stackengine.service.types import Finding, HostView
from unit.cli import cli_documents
from unit.cli import cli_samples as samples


def printed(kind: str, members: dict[str, Any]) -> dict[str, Any]:
    """The document as a program reads it, checked."""
    out = io.StringIO()
    Terminal(out, io.StringIO(), output="json").document(kind, members)
    return cli_documents.check(json.loads(out.getvalue()))


@pytest.mark.parametrize("kind", sorted(p.stem for p in cli_documents.SCHEMAS.glob("*.json")))
def test_every_schema_is_a_schema_and_fixes_kind_and_version(kind: str) -> None:
    found = cli_documents.schema(kind)
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["properties"]["kind"] == {"const": kind}
    assert found["properties"]["format_version"] == {"const": 1}
    assert {"kind", "format_version"} <= set(found["required"])


def test_a_plan_is_a_document() -> None:
    document = printed("plan", plan_data(samples.preview()))
    assert document["summary"] == {"add": 2, "change": 1, "replace": 1, "destroy": 1, "retain": 1}
    by_id = {a["id"]: a for a in document["actions"]}
    assert by_id["create:web@2"]["replaces"] == "web@1"
    assert by_id["create:web@2"]["properties"]["gateway"] == {"$unknown": "net.gateway"}
    assert by_id["create:password@1"]["properties"]["value"] == {"$sensitive": True}


def test_stacks_resources_outputs_graphs_hosts_and_findings_are_documents() -> None:
    printed("stacks", {"stacks": [stacks.summary_data(samples.SUMMARY)]})
    whole = printed("stack", stacks.stack_data(samples.view()))
    assert whole["outputs"]["password"] == {"value": None, "description": "", "sensitive": True}
    printed("resource", {"stack": "lamp", **stacks.resource_data(samples.view().resources[1])})
    printed("outputs", {"stack": "lamp", "outputs": outputs.outputs_data(samples.view().outputs, secrets=True)})
    printed("graph", graph.to_data(graph.of_desired("lamp", samples.desired())))
    printed("hosts", {"hosts": [hosts.host_data(HostView("default", "private://default", "private", "running"))]})
    printed("findings", {"uri": "x", "healthy": True, "findings": [hosts.finding_data(Finding("pool", "ok", "there"))]})
    printed("diagnostics", {"files": ["a"], "valid": False, "diagnostics": diagnostics.to_data(samples.diagnostics())})


def test_an_operation_is_json_lines_and_its_last_line_is_the_result() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out, err, output="json")
    preview = samples.preview()
    introduce(preview, terminal)
    terminal.document("plan", plan_data(preview), line=True)
    with JsonView(terminal, preview.plan) as view:
        for event in samples.history():
            view.take(event)
    conclude("lamp", samples.result(status="rolled_back", failures=(samples.FAILURE,)), view, preview, terminal)
    documents = [cli_documents.check(json.loads(line)) for line in out.getvalue().splitlines()]
    assert [d["kind"] for d in documents] == ["plan", *["event"] * len(samples.history()), "result"]
    assert documents[-1]["failures"][0]["mark"]["line"] == 13
    assert "error: create of web" in err.getvalue()


def test_a_reader_that_goes_away_does_not_stop_an_operation() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    for terminal in (Terminal(Closed(), Closed(), output="json"), Terminal(io.StringIO(), Closed(), plain=True)):
        terminal.warn("nobody reads this")
        with JsonView(terminal) as view:
            for event in samples.history():
                view.take(event)
        assert len(view.progress.walks) == 2


def test_sarif_has_one_result_for_each_diagnostic() -> None:
    document = sarif.sarif(samples.diagnostics())
    results = document["runs"][0]["results"]
    assert document["version"] == "2.1.0"
    assert [r["ruleId"] for r in results] == ["P101", "V210", "H007", "V103"]
    assert [r["level"] for r in results] == ["error", "warning", "note", "error"]
    assert results[3]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "lamp/stack.yaml"},
        "region": {"startLine": 17, "startColumn": 7, "endLine": 17, "endColumn": 12},
    }
    assert {r["id"] for r in document["runs"][0]["tool"]["driver"]["rules"]} == {r["ruleId"] for r in results}
