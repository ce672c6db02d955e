"""Documents that name code, files and commands name what is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from golden_files import check_file
from stackengine.cli.commands import COMMANDS
from stackengine.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WALK = re.findall(r"^\| \d+ \| ([^|]+) \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
NAMES = [n for cell in WALK for n in re.findall(r"`((?:cli|service|formats|evaluate|planning|engine|hosts|store|model)\.[\w.]+)`", cell)]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_architecture_follows_a_value_through_exists(name: str) -> None:
    module, _, attribute = f"stackengine.{name}".rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError:
        found = None
    if found is None:
        found = importlib.import_module(f"stackengine.{name}")
    assert getattr(found, "__module__", module) == module, f"{name} is made in {found.__module__}"


def test_the_walk_names_every_room_that_a_value_passes() -> None:
    assert {n.partition(".")[0] for n in NAMES} >= {"cli", "service", "formats", "evaluate", "planning", "engine", "hosts", "store"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", page.read_text())
    gone = [t for pair in targets for t in pair if t and "://" not in t and not (page.parent / t).exists()]
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_that_documents_show_exist(page: Path) -> None:
    shown = re.findall(r"^\$ stack-run (?:--\S+ )*([a-z]+)", page.read_text(), re.MULTILINE)
    assert set(shown) <= set(COMMANDS)


def test_the_three_languages_of_the_readme_are_the_gallerys() -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 3
    for block, language in zip(blocks, ("hot", "cfn", "tosca"), strict=True):
        template = re.sub(r"\s+", "", (ROOT / "templates" / "hello" / language / "stack.yaml").read_text())
        lines = [re.sub(r"\s+", "", line) for line in block.splitlines()]
        assert [line for line in lines if line not in template and "num_cpus" not in line] == []


def test_the_picture_of_the_readme_is_what_the_command_draws(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    template = str(ROOT / "templates/three-tier/hot/stack.yaml")
    assert main(["graph", template, "--format", "svg", "--state", str(tmp_path)]) == 0
    check_file(ROOT / "docs/images/three-tier.svg", capsys.readouterr().out, update=request.config.getoption("--update-golden"))
