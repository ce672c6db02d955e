from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from stackengine.cli.render import diagnostics, events, failures, graph, hosts, lines, outputs, plan, stacks, timeline, values
from stackengine.cli.render.graph_svg import svg
from stackengine.cli.render.progress import Progress
from stackengine.cli.render.style import Style
from stackengine.cli.render.table import table, width
from stackengine.cli.render.times import ago, iso, span
from stackengine.cli.terminal import Terminal
from stackengine.cli.views import LinesView
from stackengine.model.diagnostics import Diagnostic
from stackengine.model.expr import Call, Ref
from stackengine.model.mark import Mark
from stackengine.model.values import SecretRef, Sensitive, Unknown
from stackengine.planning.plan import Plan
from stackengine.service.types import Finding, HostView
from unit.cli import cli_samples as samples

Golden = Callable[[str, str], None]
SOURCES = {samples.FILE: samples.TEMPLATE}


def test_the_plan_view_says_every_action_its_properties_reasons_and_consequences(golden: Golden) -> None:
    golden("cli/plan.txt", plan.render(samples.preview()) + "\n")


def test_the_explained_plan_also_says_identities_gates_and_order(golden: Golden) -> None:
    golden("cli/plan-explained.txt", plan.render(samples.preview(), explain=True) + "\n")


def test_a_coloured_plan_says_the_same_as_a_plain_one() -> None:
    coloured = plan.render(samples.preview(), Style(color=True))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plan.render(samples.preview())


def test_a_plan_can_be_shown_where_only_ascii_can() -> None:
    text = plan.render(samples.preview(), Style(unicode=False))
    assert "-/+ web" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "No changes. lamp is as its template says."),
        ({"kind": "rollback", "to_revision": 2}, "No changes. lamp is as revision 2 says."),
        ({"kind": "delete"}, "No changes. Nothing of lamp is left on private://default."),
    ],
)
def test_an_empty_plan_says_that_nothing_is_to_do(more: dict[str, Any], said: str) -> None:
    assert plan.render(samples.preview(Plan(), **more)) == said


def test_diagnostics_come_all_at_once_in_the_order_of_the_file(golden: Golden) -> None:
    golden("cli/diagnostics.txt", diagnostics.render(samples.diagnostics(), SOURCES) + "\n")


def test_a_snippet_of_a_very_long_line_shows_only_what_is_around_the_mark() -> None:
    line = '{"Resources":' + '"x",' * 500 + '"oops"' + ',"y"' * 500
    col = line.index('"oops"') + 1
    text = diagnostics.render([Diagnostic("V1", "bad", Mark("a.json", 1, col, 1, col + 6))], {"a.json": line}).splitlines()
    shown, caret = text[3], text[4]
    assert len(shown) < 140
    assert shown[caret.index("^") : caret.rindex("^") + 1] == '"oops"'


def test_a_caret_stands_below_its_word_after_tabs_and_wide_characters() -> None:
    text = diagnostics.render([Diagnostic("V1", "bad", Mark("a", 1, 5, 1, 8))], {"a": "\t日本 foo"}).splitlines()
    assert width(text[3][: text[3].index("foo")]) == width(text[4][: text[4].index("^")])
    assert text[4].count("^") == 3


def test_a_mark_whose_file_is_gone_still_says_its_place() -> None:
    assert "--> gone.yaml:3:1" in diagnostics.render([Diagnostic("V1", "bad", Mark("gone.yaml", 3, 1, 3, 2))])


def test_a_failed_action_says_type_path_host_code_place_console_and_what_to_try(golden: Golden) -> None:
    golden("cli/failure.txt", failures.render([samples.FAILURE], samples.plan(), sources=SOURCES) + "\n")


@pytest.mark.parametrize(
    ("status", "line", "hint"),
    [
        ("complete", "lamp: update complete in 1m15s, now at revision 4", ""),
        ("rolled_back", "lamp: update failed and was rolled back in 1m15s, now at revision 4", ""),
        ("rollback_failed", "lamp: update failed, and its rollback failed too in 1m15s", "stack-run rollback lamp"),
        ("failed", "lamp: update failed in 1m15s", "stack-run rollback lamp"),
    ],
)
def test_the_ending_says_how_it_stands_and_what_to_do_next(status: str, line: str, hint: str) -> None:
    result = samples.result(status=status)
    assert failures.ending("lamp", result) == line
    assert hint in failures.advice("lamp", result)


def test_a_guests_console_cannot_write_elsewhere_on_the_terminal() -> None:
    hostile = replace(samples.FAILURE, tail="ok\tfine\n\x1b[2J\x1b]0;owned\x07 \x9b2J end", message="bad \x1b[31mred")
    text = failures.render([hostile], samples.plan())
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\x7f"}
    assert "ok fine" in text


def _progress(*, fails: bool) -> Progress:
    progress = Progress(samples.plan())
    for event in samples.history(fails=fails):
        progress.take(event)
    return progress


def test_the_timeline_shows_bars_and_the_critical_path(golden: Golden) -> None:
    golden("cli/timeline.txt", timeline.render(_progress(fails=False)) + "\n")


def test_the_timeline_of_a_failure_shows_the_rollback_and_the_first_failure(golden: Golden) -> None:
    golden("cli/timeline-failed.txt", timeline.render(_progress(fails=True)) + "\n")


def test_a_long_timeline_is_cut_to_the_critical_path_and_the_slowest() -> None:
    progress = Progress()
    for i in range(200):
        progress.take(samples.event("action.begin", f"r{i}", "create", i * 0.1))
        progress.take(samples.event("action.ready", f"r{i}", "create", i * 0.1 + 1 + i % 7))
    text = timeline.render(progress)
    assert len(text.splitlines()) < 60
    assert "shorter ones" in text


def test_progress_knows_what_runs_what_waits_and_what_has_ended() -> None:
    progress = Progress(samples.plan())
    for event in samples.history(fails=False)[:11]:
        progress.take(event)
    assert progress.walk.total == 9
    assert [(s.path, s.doing()) for s in progress.walk.running()] == [("db", "waiting")]
    assert progress.walk.over() == 2


def test_what_runs_without_a_plan_has_its_type_from_the_event() -> None:
    progress = Progress()
    step = progress.take(samples.event("action.begin", "web", "create", instance={"type": "SE::Server"}))
    assert step is not None
    assert step.type == "SE::Server"


def test_what_is_resumed_is_timed_from_its_first_event() -> None:
    err = io.StringIO()
    with LinesView(Terminal(io.StringIO(), err, plain=True), "lamp", clock=lambda: 1_700_000_007.5) as view:
        view.take(samples.event("action.begin", "web", "create", 5.0))
    assert view.progress.walk.began == 1_700_000_005.0
    assert err.getvalue() == "[   2.5s] + web: creating\n"


def test_transitions_are_lines(golden: Golden) -> None:
    progress = Progress(samples.plan())
    told = []
    for event in samples.history(fails=True):
        step = progress.take(event)
        if step is not None and (line := lines.transition(event, step)):
            told.append(line)
    golden("cli/transitions.txt", "\n".join(told) + "\n")


def test_a_heartbeat_is_one_line_for_all_that_runs() -> None:
    progress = Progress(samples.plan())
    for event in samples.history(fails=False)[:10]:
        progress.take(event)
    assert lines.heartbeat(progress.walk, "", 1_700_000_012.3) == "… 2/9 done, 1 running, 12s: db 11s (rebooting)"


def test_a_view_of_lines_beats_when_nothing_is_said() -> None:
    err = io.StringIO()
    with LinesView(Terminal(io.StringIO(), err, plain=True), "lamp", samples.plan(), silence=0.1) as view:
        for event in samples.history(fails=False)[:3]:
            view.take(event)
        view._closed.wait(0.35)
    assert err.getvalue().count("…") >= 2
    assert "+ net: creating (SE::Network)" in err.getvalue()


def test_events_are_lines(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackengine.cli.render.events.clock", lambda moment: iso(moment)[11:19])
    golden("cli/events.txt", "\n".join(events.event_line(e) for e in samples.history(fails=True)) + "\n")


def test_a_stack_is_shown_with_everything_but_its_secrets(golden: Golden) -> None:
    text = stacks.whole(samples.view(), 1_700_000_100)
    assert "hunter2" not in text
    golden("cli/show.txt", text + "\n\n" + stacks.resource(samples.view().resources[1]) + "\n")


def test_stacks_are_listed(golden: Golden) -> None:
    golden("cli/ls.txt", stacks.listing([samples.SUMMARY], 1_700_000_100) + "\n")


def test_hosts_and_findings_are_listed(golden: Golden) -> None:
    found = [Finding("packages", "ok", "all there"), Finding("accelerator", "warning", "no KVM: guests run under TCG", "load the module\nmodprobe kvm_intel")]
    host = HostView("default", "private://default", "private", "running", ("lamp",), "tcg")
    golden("cli/hosts.txt", "\n".join([hosts.listing([host]), *(hosts.finding(f) for f in found), hosts.verdict(host.uri, found)]) + "\n")


def test_the_graph_is_drawn_as_text_dot_and_mermaid(golden: Golden) -> None:
    drawn = graph.of_desired("lamp", samples.desired(), {"web": "ready"})
    golden("cli/graph.txt", "\n\n".join([graph.text(drawn), graph.dot(drawn), graph.mermaid(drawn)]) + "\n")


def test_the_svg_has_every_box_and_no_implied_arrow_and_is_well_formed(golden: Golden) -> None:
    from lxml import etree  # type: ignore[import-untyped]

    drawn = graph.of_desired("lamp <1>", samples.desired(), {"web": "ready"})
    text = svg(drawn)
    root = etree.fromstring(text.encode())
    assert len(root.findall(".//{*}g")) == 4
    assert len(graph.pairs_of(drawn.links)) == 4
    assert len(root.findall(".//{*}path[@marker-end]")) == 3, "net to web follows from net to db and db to web"
    golden("cli/graph.svg", text + "\n")


def test_boxes_of_a_drawn_graph_do_not_overlap_and_arrows_go_down() -> None:
    from lxml import etree

    boxes = {f"r{i}": graph.Box(f"r{i}", "T" * (i % 30)) for i in range(60)}
    links = tuple(graph.Link(f"r{i}", f"r{i // 3}", "ready" if i % 4 else "configured", "") for i in range(1, 60))
    root = etree.fromstring(svg(graph.Graph("big", boxes, links)).encode())
    places = {g.get("id"): {k: float(g.find("{*}rect").get(k)) for k in ("x", "y", "width", "height")} for g in root.findall("{*}g")}
    by_place = sorted(places.values(), key=lambda p: (p["y"], p["x"]))
    assert all(a["y"] < b["y"] or a["x"] + a["width"] < b["x"] for a, b in pairwise(by_place))
    assert all(places[f"r-{k.needs}"]["y"] < places[f"r-{k.path}"]["y"] for k in links)


def test_an_empty_graph_can_be_drawn() -> None:
    empty = graph.Graph("none", {}, ())
    assert svg(empty).startswith("<svg")
    assert graph.text(empty) == ""


@pytest.mark.parametrize("value", [Sensitive("hunter2"), SecretRef("id"), {"a": [Sensitive("hunter2")]}, {"$secret": "id", "version": 1}])
def test_a_secret_never_comes_out_of_a_renderer(value: object) -> None:
    for text in (values.show(value), str(values.to_data(value)), values.bare(value), outputs.outputs_lines({"x": value})):
        assert "hunter2" not in text
        assert "sensitive" in text


def test_values_are_short_and_readable() -> None:
    assert values.show("a" * 100).endswith("…")
    assert values.show("#cloud-config\nx: 1\n") == '"#cloud-config" … (2 lines)'
    assert values.show(Unknown(Ref("db"))) == "(known after apply: db)"
    assert values.show(Unknown(Call("join", (Ref("db"), Ref("web"))))) == "(known after apply (db, web))"
    assert values.show({"a": [1, True, None]}) == "{a: [1, true, null]}"


def test_spans_and_moments_are_short() -> None:
    assert [span(s) for s in (-1, 0.44, 9.94, 9.96, 59.6, 65, 7260)] == ["0.0s", "0.4s", "9.9s", "10s", "1m00s", "1m05s", "2h01m"]
    assert [ago(0, s) for s in (5, 65, 7200, 90000, 200000)] == ["just now", "1 min ago", "2 h ago", "1 day ago", "2 days ago"]
    assert iso(1_700_000_000.25) == "2023-11-14T22:13:20.250Z"


def test_columns_fit_wide_characters_and_ignore_colours() -> None:
    text = table(["a", "b"], [["日本", "x"], ["\x1b[31mred\x1b[0m", "y"]])
    assert [line[-1] for line in text.splitlines()] == ["B", "x", "y"]
    assert text.splitlines()[1] == "日本  x"
