"""``fmt``: canonical order and indentation, every comment kept, the meaning unchanged, and a second time changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.cli.main import main
from stackengine.formats.build import plain
from stackengine.formats.layout import Unformattable, laid_out
from stackengine.formats.tree import compose
from stackengine.model.diagnostics import Diagnostics

ROOT = Path(__file__).parents[3]
MESSY = """\
# on top
resources:
    # about web
    web:   # beside web
        properties:
            image:   tiny   # an image
            name: "x # y"
            user_data: |
               #!/bin/sh
               # no comment
                 echo
            networks:
            - port: {get_resource: port}
              # within
              foo: bar
            - {network: a}
            # after the list
            list: [a,
               b] # at its end
        type: OS::Nova::Server
    port: {type: "OS::Neutron::Port"}

heat_template_version: 2018-08-31
# at the end
"""
NEAT = """\
heat_template_version: 2018-08-31

# on top
resources:
  # about web
  web:  # beside web
    type: OS::Nova::Server
    properties:
      image: tiny  # an image
      name: "x # y"
      user_data: |
        #!/bin/sh
        # no comment
          echo
      networks:
        - port: {get_resource: port}
          # within
          foo: bar
        - {network: a}
      # after the list
      list:
        - a
        - b  # at its end
  port: {type: "OS::Neutron::Port"}
# at the end
"""


def neat(text: str, name: str = "t.yaml") -> str:
    diagnostics = Diagnostics()
    found = laid_out(text, name, diagnostics)
    assert found is not None, [d.summary for d in diagnostics]
    return found


def meaning(text: str, name: str = "t.yaml") -> object:
    root = compose(text, name, Diagnostics())
    assert root is not None
    return plain(root, "core")


def test_a_messy_file_becomes_a_neat_one_and_stays_one() -> None:
    assert neat(MESSY) == NEAT
    assert neat(NEAT) == NEAT
    assert neat("---\n" + MESSY) == "---\n" + NEAT


@pytest.mark.parametrize("file", sorted((ROOT / "templates").glob("*/*/stack.yaml")), ids=str)
def test_the_gallery_means_the_same_afterwards(file: Path) -> None:
    text = file.read_text()
    once = neat(text)
    assert meaning(once) == meaning(text)
    assert neat(once) == once


def test_json_keeps_its_language() -> None:
    text = '{"Resources": {"A": {"Properties": {"x": 1.50}, "Type": "T"}}, "AWSTemplateFormatVersion": "2010-09-09"}'
    assert list(meaning(neat(text, "t.json"), "t.json")) == ["AWSTemplateFormatVersion", "Resources"]  # type: ignore[call-overload]
    assert neat(neat(text, "t.json"), "t.json") == neat(text, "t.json")


@pytest.mark.parametrize(
    "text",
    ["heat_template_version: &v 2018-08-31\na: {type: *v}\n", "heat_template_version: 2018-08-31\na: |2\n    x\n", "%YAML 1.1\n---\nResources: {}\n"],
)
def test_what_would_lose_something_is_left_alone(text: str) -> None:
    with pytest.raises(Unformattable):
        laid_out(text, "t.yaml", Diagnostics())


LINES = st.lists(
    st.sampled_from(
        ["  a: 1", "  b: 'x: y'  # c", "  # d", "", "  c:", "    - 1", "    - {x: 2}", "  d: |", "     text # no ", "  e: [1,", "     2]", "  f: >-", "    w"]
    ),
    max_size=9,
)


@given(LINES)
@settings(max_examples=60, deadline=None)
def test_whatever_it_does_it_changes_no_meaning(lines: list[str]) -> None:
    text = "heat_template_version: 2018-08-31\nresources:\n" + "\n".join(lines) + "\n"
    try:
        once = laid_out(text, "t.yaml", Diagnostics())
    except Unformattable:
        return
    if once is not None:
        assert meaning(once) == meaning(text)
        assert neat(once) == once


def test_the_command_writes_checks_or_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(MESSY)
    assert main(["fmt", "--check", str(file)]) == 4
    assert main(["fmt", "--stdout", str(file)]) == 0
    assert capsys.readouterr().out == NEAT
    assert file.read_text() == MESSY
    assert main(["fmt", str(file)]) == 0
    assert file.read_text() == NEAT
    assert main(["fmt", "--check", str(file)]) == 0
    file.write_text("a: [")
    assert main(["fmt", str(file)]) == 3
