"""What a plain scalar is, by language. Quoted and block scalars are always text."""

from __future__ import annotations

import re
from typing import Any, Literal

from stackengine.formats.tree import Node

Rules = Literal["yaml11", "core"]
"""``yaml11``: HOT and CloudFormation (their parsers read YAML 1.1, dates staying text); ``core``: TOSCA (YAML 1.2 core schema)."""

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_OCTAL11 = re.compile(r"[-+]?0[0-7]+\Z")
_HEX = re.compile(r"[-+]?0x[0-9a-fA-F]+\Z")
_OCTAL12 = re.compile(r"0o[0-7]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?\Z")
_TRUE11, _FALSE11 = {"yes", "on", "true"}, {"no", "off", "false"}


def value(node: Node, rules: Rules) -> Any:
    """The typed value of a scalar node."""
    text = node.text
    if not node.plain or node.tag:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    first = text[0]
    if first.isdigit() or first in "+-.":
        return _number(text, rules)
    lower = text.lower()
    if rules == "yaml11":
        if lower in _TRUE11:
            return True
        if lower in _FALSE11:
            return False
    elif text in ("true", "True", "TRUE"):
        return True
    elif text in ("false", "False", "FALSE"):
        return False
    return text


def _number(text: str, rules: Rules) -> Any:
    if len(text) > 400:
        return text
    if _INT.match(text):
        return int(text)
    if _HEX.match(text):
        return int(text, 16)
    if rules == "yaml11" and _OCTAL11.match(text):
        return int(text, 8)
    if rules == "core" and _OCTAL12.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    return text
