"""Functions over text: join, split, replace, digests, encodings."""

from __future__ import annotations

import base64 as b64
import json
import re
from collections.abc import Callable
from typing import Any


def to_text(value: Any) -> str:
    """Text of a scalar, or JSON of anything else, as Heat's str_replace and list_join do."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def join(delimiter: Any, *lists: Any) -> str:
    """HOT list_join (several lists are allowed), CloudFormation Fn::Join, TOSCA join."""
    items = [i for part in lists for i in (part if isinstance(part, list) else [part])]
    return str(delimiter).join(to_text(i) for i in items)


def concat(*items: Any) -> Any:
    """TOSCA concat: text, or lists end to end."""
    flat = items[0] if len(items) == 1 and isinstance(items[0], list) else items
    if flat and all(isinstance(i, list) for i in flat):
        return [x for part in flat for x in part]
    return "".join(to_text(i) for i in flat)


def split(delimiter: Any, text: Any) -> list[str]:
    """HOT str_split, CloudFormation Fn::Split."""
    if not isinstance(text, str):
        raise ValueError("split needs text")
    if not delimiter:
        raise ValueError("split needs a delimiter")
    return text.split(str(delimiter))


def token(text: Any, separators: Any, index: Any) -> str:
    """TOSCA token: split at any of the characters, then the part at ``index``."""
    parts = re.split("[" + re.escape(str(separators)) + "]", str(text))
    return parts[int(index)]


def base64(text: Any) -> str:
    """CloudFormation Fn::Base64."""
    return b64.b64encode(to_text(text).encode()).decode()


def to_json(value: Any) -> str:
    """CloudFormation Fn::ToJsonString."""
    return json.dumps(value, separators=(",", ":"))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "join": join,
    "concat": concat,
    "split": split,
    "token": token,
    "base64": base64,
    "to_json": to_json,
}
