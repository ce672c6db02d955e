"""The readers that `make fuzz` feeds take what is not a template at all."""

from __future__ import annotations

import pytest

from fuzz.readers import HEADS, reader

ODD = [
    "", "\x00", "a: [", "{}", "resources: {a: {type: 1}}", "Resources: []", "Resources: {A: {Type: [x]}}", "outputs: {o: {value: {get_param: [[]]}}}",
    "\t: x", "!Ref a", "- a", "resources: {a: {type: OS::Heat::Value}}",
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(HEADS))
def test_odd_texts_give_diagnostics_only(name: str) -> None:
    for text in ODD:
        reader(name)(text)
