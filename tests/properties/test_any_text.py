"""Whatever text comes in: a template and its desired state, or diagnostics with places; never a traceback, never without end."""

from __future__ import annotations

import copy
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.model.diagnostics import Diagnostics

ROOT = Path(__file__).parents[2]
TYPES = registry.load(entry_points=False)
NESTED = """heat_template_version: 2018-08-31
parameters: {n: {type: number, default: 2}, names: {type: comma_delimited_list, default: 'a,b'}}
conditions: {more: {equals: [{get_param: n}, 2]}}
resources:
  pool:
    type: OS::Heat::ResourceGroup
    condition: more
    properties:
      count: {get_param: n}
      removal_policies: [{resource_list: ['0']}]
      resource_def: {type: SE::None, properties: {value: {get_param: [names, '%index%']}}}
  chain: {type: 'OS::Heat::ResourceChain', properties: {resources: ['SE::None'], concurrent: true}}
outputs: {o: {value: {get_attr: [pool, resource.0.value]}}, j: {value: {list_join: ['-', {get_attr: [pool, refs]}]}}}
"""
SEEDS = [p.read_text() for p in sorted((ROOT / "templates").glob("*/*/stack.yaml"))] + [NESTED]
TREES = [yaml.load(t, yaml.BaseLoader) for t in SEEDS if "!" not in t]
SNIPPETS = [
    *("{", "}", "[", "]", ":", "- ", "\n", "  ", "\t", "'", '"', "&a ", "*a", "<<: ", "!Ref ", "!!binary ", "? ", "|\n", "null", "~", "0755", "\x00", "\ud800"),
    *("{get_attr: [", "{Ref: ", "Fn::Sub", "${", "$get_property", "get_resource", "depends_on: ", "condition: ", "\u2028", "\ufeff", "9" * 500, "-", "%index%"),
]


class Nothing:
    """A reader whose every file is one of the seeds."""

    def read(self, name: str, relative_to: str) -> str:
        return SEEDS[len(name) % len(SEEDS)]


def survives(text: str, name: str = "t.yaml") -> None:
    diagnostics = Diagnostics()
    for lenient in (False, True):
        template = formats.load(text, name, Nothing(), diagnostics, lenient=lenient)
        assert template is not None or diagnostics.errors
        if template is not None:
            explore(template, {"n": "3"}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=diagnostics)
    assert all(d.mark.line >= 0 and d.code for d in diagnostics)


def mangled(text: str, dice: random.Random) -> str:
    """``text`` with a few places cut, doubled, swapped or overwritten."""
    for _ in range(dice.randint(1, 4)):
        a, b = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
        b = min(b, a + dice.choice((1, 5, 40, 400)))
        choice = dice.randrange(5)
        if choice == 0:
            text = text[:a] + text[b:]
        elif choice == 1:
            text = text[:b] + text[a:b] + text[b:]
        elif choice == 2:
            text = text[:a] + dice.choice(SNIPPETS) + text[a:]
        elif choice == 3:
            text = text[:a] + dice.choice(SNIPPETS) + text[b:]
        else:
            lines = text.split("\n")
            x, y = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[x], lines[y] = lines[y], lines[x]
            text = "\n".join(lines)
    return text


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def regrown(tree: Any, dice: random.Random) -> Any:
    """``tree`` with parts of it moved, dropped or replaced by something of another kind."""
    tree = copy.deepcopy(tree)
    for _ in range(dice.randint(1, 3)):
        paths = places(tree)
        if not paths:
            break
        *parents, last = dice.choice(paths)
        inside = tree
        for step in parents:
            inside = inside[step]
        source = tree
        for step in dice.choice(paths):
            source = source[step]
        odd: list[Any] = ["", "x", "0", None, [], {}, [[]], {"": ""}, {"get_attr": []}, {"Ref": {}}, {"Fn::If": ["a"]}, {"get_input": [1]}, 0]
        odd.append(copy.deepcopy(source))
        choice = dice.randrange(4)
        if choice == 0:
            del inside[last]
        elif choice == 1 and isinstance(inside, dict):
            inside[dice.choice(["properties", "Type", "x", "get_param", "Fn::Join", "count"])] = inside[last]
        else:
            inside[last] = dice.choice(odd)
    return tree


@pytest.mark.thorough
@given(st.randoms(use_true_random=False), st.sampled_from(SEEDS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mangled_text(dice: random.Random, seed: str) -> None:
    survives(mangled(seed, dice))


@pytest.mark.thorough
@given(st.randoms(use_true_random=False), st.sampled_from(TREES), st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_regrown_trees(dice: random.Random, tree: Any, as_json: bool) -> None:
    grown = regrown(tree, dice)
    survives(json.dumps(grown) if as_json else yaml.safe_dump(grown), "t.json" if as_json else "t.yaml")


@given(st.text(alphabet="{}[]:,-?!&*#|>'\"% \n\tab0~<", max_size=40))
@settings(max_examples=150, deadline=None)
def test_text_of_signs(text: str) -> None:
    survives(text)
    survives("heat_template_version: 2018-08-31\nresources:\n  a: " + text)


@pytest.mark.slow
def test_a_long_walk_through_mangled_templates() -> None:
    end = time.monotonic() + 240
    number = 0
    while time.monotonic() < end:
        dice = random.Random(number)
        seed = dice.choice(SEEDS)
        text = mangled(seed, dice) if number % 2 else yaml.safe_dump(regrown(dice.choice(TREES), dice))
        start = time.process_time()
        survives(text)
        assert time.process_time() - start < 3, text
        number += 1
    assert number > 500


BOMBS = {
    "deep references": "heat_template_version: 2018-08-31\nresources:\n"
    + "".join(f"  r{n}: {{type: SE::None, properties: {{value: {{get_attr: [r{n + 1}, value]}}}}}}\n" for n in range(3000))
    + "  r3000: {type: SE::None}\n",
    "conditions in a row": "heat_template_version: 2018-08-31\nconditions:\n" + "".join(f"  c{n}: {{not: c{n + 1}}}\n" for n in range(3000))
    + "  c3000: {equals: [a, a]}\nresources:\n  a: {type: SE::None, condition: c0}\n",
    "repeat": "heat_template_version: 2018-08-31\nresources:\n  a: {type: SE::None, properties: {value: {repeat: {template: x, for_each: {"
    + ", ".join(f"k{n}: [1,2,3,4,5,6,7,8,9]" for n in range(9)) + "}}}}}\n",
    "joins of joins": "heat_template_version: 2018-08-31\nparameters: {p: {type: string, default: '" + "x" * 1000 + "'}}\nresources:\n"
    "  a: {type: SE::None, properties: {value: " + "{list_join: ['', [" * 30 + "{get_param: p}" + "]]}" * 30 + "}}\n",
    "aliases": "heat_template_version: 2018-08-31\nresources:\n  a: {type: SE::None, properties: {value: &a [x, x, x, x, x, x, x, x, x]}}\n"
    + "".join(f"  b{n}: {{type: SE::None, properties: {{value: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]}}}}\n" for n in range(12)),
    "groups of groups": "heat_template_version: 2018-08-31\nresources:\n  g: {type: 'OS::Heat::ResourceGroup', properties: {count: 9999, resource_def: {type: "
    "'OS::Heat::ResourceGroup', properties: {count: 9999, resource_def: {type: SE::None}}}}}\n",
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_in_bounded_memory_and_time(name: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(BOMBS[name])

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    done = subprocess.run(
        [sys.executable, "-m", "stackengine.cli.main", "validate", str(tmp_path / "bomb.yaml")], capture_output=True, text=True, preexec_fn=limits, cwd=ROOT
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr[-2000:]
    assert "internal error" not in done.stderr
