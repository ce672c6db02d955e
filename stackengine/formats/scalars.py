"""What a plain scalar is, by language. Quoted and block scalars are always text.

``yaml11``: HOT and CloudFormation. Heat reads with PyYAML, whose YAML 1.1 is this: ``yes``/``no``/``on``/``off`` are booleans, ``0755`` is octal,
``1_000`` a number, ``22:30`` base 60, an exponent needs a dot and a sign; timestamps stay text (heat.common.template_format).
``core``: TOSCA, the core schema of YAML 1.2 (10.3.2). JSON text has JSON's own rules in every language. ``.inf`` and ``.nan`` stay text everywhere:
no property means them, and JSON cannot say them.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from stackengine.formats.tree import Node

Rules = Literal["yaml11", "core"]

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE12, _FALSE12 = frozenset(("true", "True", "TRUE")), frozenset(("false", "False", "FALSE"))
_TRUE11 = _TRUE12 | {"yes", "Yes", "YES", "on", "On", "ON"}
_FALSE11 = _FALSE12 | {"no", "No", "NO", "off", "Off", "OFF"}
_INT11 = re.compile(
    r"(?P<sign>[-+]?)(?:0b(?P<two>[01_]+)|0x(?P<sixteen>[0-9a-fA-F_]+)|(?P<sixty>[1-9][0-9_]*(?::[0-5]?[0-9])+)|0(?P<eight>[0-7_]+)|(?P<ten>0|[1-9][0-9_]*))\Z"
)
_FLOAT11 = re.compile(r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?\Z")
_SIXTY11 = re.compile(r"([-+]?)([0-9][0-9_]*(?::[0-5]?[0-9])+)(\.[0-9_]*)\Z")
_INT12 = re.compile(r"[-+]?[0-9]+\Z")
_OTHER12 = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT12 = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_LONG = 400
"""Characters beyond which digits are text, and no number of ours."""


def value(node: Node, rules: Rules) -> Any:
    """The typed value of a scalar node."""
    text = node.text
    if not node.plain or node.tag:
        return text
    if node.json:
        return _json(text)
    if text in _NULL:
        return None
    first = text[0]
    if (first.isdigit() and first.isascii()) or first in "+-.":
        if len(text) > _LONG:
            return text
        return _yaml11(text) if rules == "yaml11" else _core(text)
    true, false = (_TRUE11, _FALSE11) if rules == "yaml11" else (_TRUE12, _FALSE12)
    return True if text in true else False if text in false else text


def _json(text: str) -> Any:
    word = {"true": True, "false": False, "null": None}
    if text in word:
        return word[text]
    if len(text) > _LONG:
        return text
    return int(text) if text.lstrip("-").isdigit() else _finite(text)


def _finite(text: str) -> Any:
    """The number, or the text where a float has no room for it."""
    try:
        found = float(text)
    except ValueError:  # a tree that no reader of JSON made
        return text
    return found if found - found == 0 else text


def _yaml11(text: str) -> Any:
    match = _INT11.match(text)
    if match is not None:
        digits = {k: v.replace("_", "") for k, v in match.groupdict().items() if v is not None and k != "sign"}
        base, found = next(iter(digits.items()))
        if not found:
            return 0 if base == "eight" else text  # 0_ is a zero to PyYAML
        number = _sixty(found) if base == "sixty" else int(found, {"two": 2, "eight": 8, "ten": 10, "sixteen": 16}[base])
        return -int(number) if match["sign"] == "-" else int(number)
    if _FLOAT11.match(text):
        return _finite(text.replace("_", ""))
    sixty = _SIXTY11.match(text)
    if sixty is not None:
        number = _sixty(sixty[2].replace("_", "")) + float("0" + sixty[3].replace("_", "") + "0")
        return -number if sixty[1] == "-" else number
    return text


def _sixty(text: str) -> float:
    number = 0
    for part in text.split(":"):
        number = number * 60 + int(part)
    return number


def _core(text: str) -> Any:
    if _INT12.match(text):
        return int(text)
    if _OTHER12.match(text):
        return int(text, 0)
    return _finite(text) if _FLOAT12.match(text) else text
