"""Operations of a TOSCA template in a real guest: in the lifecycle's order, with inputs, outputs and artifacts; run again where they changed; undone."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from command_line import run
from stackengine.hosts.private import requirements

pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements() if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

APPLICATION = Path(__file__).parent / "tosca_application"
SET_UP = ["httpd_create", "httpd_start", "notes_create", "page_notes_pre_configure_target", "notes_configure", "notes_start", "page_create",
          "page_notes_pre_configure_source", "page_configure", "page_notes_post_configure_source", "page_start"]  # fmt: skip


def up(state: Path, template: Path, *more: str, code: int = 0) -> str:
    return run(state, "up", str(template), "--name", "app", "--host", "private://operations", "--yes", *more, code=code)


def outputs(state: Path) -> dict[str, str]:
    return {n: o["value"] for n, o in json.loads(run(state, "outputs", "app", "--json"))["outputs"].items()}


def steps(state: Path) -> list[str]:
    return run(state, "ssh", "app", "server", "--", "cat /var/log/steps").splitlines()


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def without_page(folder: Path) -> Path:
    """The same application, in place, without its page."""
    data: dict[str, Any] = yaml.safe_load((APPLICATION / "stack.yaml").read_text())
    topology = data["topology_template"]
    del topology["node_templates"]["page"], topology["outputs"]["sum"], topology["workflows"]
    topology["node_templates"]["published"]["requirements"][1] = {"dependency": "httpd"}
    shutil.copytree(APPLICATION, folder / "app")
    template = folder / "app" / "stack.yaml"
    template.write_text(yaml.safe_dump(data))
    return template


def workflows(state: Path, greeting: str) -> None:
    """Run those of the application: one whose steps wait for each other, one that fails and mends, one that nothing runs."""
    template, given = str(APPLICATION / "stack.yaml"), ("--name", "app", "--param", f"greeting={greeting}", "--yes")
    before, resources = steps(state), run(state, "show", "app", "--json")
    run(state, "workflow", template, "maintain", *given, "--param", "word=evening")
    went = steps(state)[len(before) :]
    assert went[0] == "maintain_look_1 CREATE evening"
    assert sorted(went[1:3]) == ["maintain_prepare_0 CREATE", "maintain_rest_0 CREATE"]
    assert went[3:] == ["maintain_end_0_again_last_0 CREATE none"]
    run(state, "workflow", template, "broken", *given, code=1)
    assert steps(state)[len(before) + 4 :] == ["broken_go_0 failed", "broken_mend_0 CREATE"]
    assert "cannot be run" in run(state, "workflow", template, "away", *given, code=3)
    assert "not as its template says" in run(state, "workflow", template, "again", "--name", "app", "--yes", code=1)
    paths = {r["path"] for r in json.loads(run(state, "show", "app", "--json"))["resources"]}
    assert paths == {r["path"] for r in json.loads(resources)["resources"]}


def test_an_application_lives_its_life_in_a_guest(state: Path, tmp_path: Path) -> None:
    up(state, APPLICATION / "stack.yaml")
    first = outputs(state)
    assert page(first["url"]) == "<p>good morning, a note</p>\n"
    assert first["answers_on"].startswith("http://")
    assert first["answers_on"].endswith(":80")
    made = steps(state)
    names = [s.split()[0] for s in made]
    assert sorted(names) == sorted(SET_UP)
    assert all(s.split()[1] == "CREATE" for s in made)
    for node in ("httpd", "notes", "page"):
        own = [n for n in SET_UP if n.startswith(f"{node}_") and not n.endswith("_target")]
        assert [n for n in names if n in own] == own
    assert names.index("notes_create") < names.index("page_notes_pre_configure_target") < names.index("notes_configure")
    assert names.index("notes_start") < names.index("page_create")
    assert len(first["sum"]) == 32
    assert made[-1] == f"page_start CREATE {first['sum']}"

    up(state, APPLICATION / "stack.yaml", "--param", "greeting=good evening")
    changed = outputs(state)
    assert page(first["url"]) == "<p>good evening, a note</p>\n"
    assert changed["sum"] != first["sum"]
    again = steps(state)[len(made) :]
    assert [s.split()[:2] for s in again] == [["page_configure", "UPDATE"], ["page_notes_post_configure_source", "UPDATE"], ["page_start", "UPDATE"]]
    assert again[-1].split()[2] == changed["sum"]

    workflows(state, "good evening")

    up(state, without_page(tmp_path))
    assert steps(state)[-2:] == ["page_stop DELETE", "page_delete DELETE"]
    run(state, "down", "app", "--yes")
    assert json.loads(run(state, "ls", "--json"))["stacks"] == []
