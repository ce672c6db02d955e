"""Outputs for other programs: no value can become another line, no secret slips out."""

from __future__ import annotations

import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from stackengine.cli.render import output_forms as forms
from stackengine.model.values import Sensitive
from stackengine.service.ssh import Login

WEB = Login("web", "web", "10.0.0.5", "uuid-1", "root", "/state dir/id", "/state/known")


def github_read(text: str) -> dict[str, str]:
    """As GitHub's runner reads the file (runner, FileCommandManager)."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        name, equals, value = line.partition("=")
        if "<<" in name or not equals:
            name, _, end = line.partition("<<")
            inner = []
            while (more := next(lines)) != end:
                inner.append(more)
            value = "\n".join(inner)
        found[name] = value
    return found


@settings(max_examples=60)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), st.text(max_size=30), max_size=4))
def test_no_value_can_become_another_line(values: dict[str, str]) -> None:
    outputs = {f"o_{k}": v for k, v in values.items()}
    lines = forms.dotenv("stack", outputs).split("\n")
    assert [line.partition("=")[0] for line in lines[1:]] == [forms.variable(k) for k in outputs]
    assert len("\n".join(lines).splitlines()) == len(outputs) + 1
    assert github_read(forms.github("stack", outputs)) == {"environment": "stack", **outputs}


def test_secrets_are_left_out_unless_asked_for() -> None:
    outputs = {"open": 1, "hidden": Sensitive("pw")}
    assert "HIDDEN" not in forms.dotenv("s", outputs)
    assert "HIDDEN=pw" in forms.dotenv("s", outputs, secret_too=True)
    assert github_read(forms.github("s", outputs)) == {"environment": "s", "open": "1"}


def test_servers_for_hosts_and_ssh() -> None:
    assert forms.hosts("shop", [WEB]) == "10.0.0.5\tweb.shop\tweb"
    lines = forms.ssh_config("shop", [WEB], ["python", "-m", "x y"]).split("\n")
    assert lines[0] == "Host web.shop"
    assert shlex.split(lines[1])[1:] == ["python", "-m", "x y", "forward", "--stdio", "shop", "web", "22"]
    assert '  IdentityFile "/state dir/id"' in lines
