"""Heat's functions, as exact as Heat is: what it makes of null, of numbers in text, of lists in text; what it refuses (heat, engine/hot/functions.py, 27.0).

Where Heat means what everybody means, its functions are the neutral ones of the other modules.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlunsplit

from stackengine.evaluate.functions.yaql_expressions import yaql


def _plain_text(value: Any, what: str) -> str:
    """A scalar as Python writes it (``True``, ``1.0``); nothing for null."""
    if value is None:
        return ""
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{what} must be text or a number, not {_short(value)}")


def _json_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else _plain_text(value, "it")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _replaced(template: Any, params: Any, text_of: Callable[[Any], str]) -> tuple[str, set[str]]:
    """(the text, names that occurred): the longest name first, then by alphabet; what a value brings is not looked at again."""
    if not isinstance(template, str):
        raise ValueError(f"template must be text, not {_short(template)}")
    if not isinstance(params, dict):
        raise ValueError(f"params must be a map, not {_short(params)}")
    found: set[str] = set()

    def replace(text: str, names: Sequence[str]) -> str:
        for number, name in enumerate(names):
            if name and name in text:
                found.add(name)
                return text_of(params[name]).join(replace(part, names[number + 1 :]) for part in text.split(name))
        return text

    if "" in params:
        raise ValueError("a name in params is empty")
    names = sorted(sorted(params), key=len, reverse=True)
    for name in names:
        text_of(params[name])
    return replace(template, names), found


def str_replace(template: Any, params: Any) -> str:
    """``str_replace`` since 2015-10-15: maps and lists become JSON with sorted keys."""
    return _replaced(template, params, _json_text)[0]


def str_replace_text(template: Any, params: Any) -> str:
    """``str_replace`` before 2015-10-15: scalars only."""
    return _replaced(template, params, lambda v: _plain_text(v, "a param"))[0]


def str_replace_strict(template: Any, params: Any) -> str:
    """Every name must occur in the template."""
    text, found = _replaced(template, params, _json_text)
    missing = sorted(sorted(set(params) - found), key=len, reverse=True)
    if missing:
        raise ValueError(f"these params were not found in the template: {', '.join(missing)}")
    return text


def str_replace_vstrict(template: Any, params: Any) -> str:
    """Every name must occur, and have a value that is not empty."""
    empty = [n for n, v in params.items() if v is None or v in ("", [], {})] if isinstance(params, dict) else []
    if empty:
        raise ValueError(f"these params are empty: {', '.join(empty)}")
    return str_replace_strict(template, params)


def _joined(delimiter: Any, lists: Sequence[Any], text_of: Callable[[Any], str]) -> str:
    items: list[Any] = []
    for part in lists:
        if part and not isinstance(part, list):
            raise ValueError(f"lists are joined, not {_short(part)}")
        items += part or []
    if not isinstance(delimiter, str):
        raise ValueError(f"the delimiter must be text, not {_short(delimiter)}")
    return delimiter.join(text_of(i) for i in items)


def _text_item(item: Any) -> str:
    if item is None or isinstance(item, str):
        return item or ""
    raise ValueError(f"only text is joined, not {_short(item)}; put it in quotes")


def _item(item: Any) -> str:
    return json.dumps(item, sort_keys=True) if isinstance(item, (dict, list)) else _text_item(item)


def list_join(delimiter: Any, *lists: Any) -> str:
    """``list_join`` since 2015-10-15: several lists; maps and lists in them become JSON."""
    return _joined(delimiter, lists, _item)


def list_join_text(delimiter: Any, items: Any) -> str:
    """``list_join`` before 2015-10-15: one list of text."""
    if items is not None and not isinstance(items, list):
        raise ValueError(f"a list is joined, not {_short(items)}")
    return _joined(delimiter, (items,), _text_item)


def str_split(delimiter: Any, text: Any, *index: Any) -> Any:
    """``str_split``, with or without an index; null stays null."""
    if len(index) > 1:
        raise ValueError("it takes a delimiter, text and perhaps an index")
    if text is None:
        return None
    if not isinstance(text, str) or not isinstance(delimiter, str) or not delimiter:
        raise ValueError("delimiter and text must be text")
    parts = text.split(delimiter)
    if not index:
        return parts
    try:
        return parts[int(index[0])]
    except (ValueError, TypeError):
        raise ValueError(f"the index must be a number, not {_short(index[0])}") from None
    except IndexError:
        raise ValueError(f"the index must be between 0 and {len(parts) - 1}") from None


def digest(algorithm: Any, text: Any) -> str:
    """``digest``: hexadecimal, of the text in Latin-1."""
    if not isinstance(algorithm, str) or not isinstance(text, str):
        raise ValueError("algorithm and value must be text")
    if algorithm.lower() not in hashlib.algorithms_available:
        raise ValueError(f"there is no digest {algorithm}; known: {', '.join(sorted(hashlib.algorithms_guaranteed))}")
    made = hashlib.new(algorithm, usedforsecurity=False)
    made.update(text.encode("latin-1"))
    return made.hexdigest()


def map_merge(*maps: Any) -> dict[str, Any]:
    """``map_merge``: later maps win; null counts as empty."""
    merged: dict[str, Any] = {}
    for part in maps:
        merged.update(_map(part, "maps are merged"))
    return merged


def _map(value: Any, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise ValueError(f"{what}, not {_short(value)}")


def map_replace(source: Any, changes: Any) -> dict[str, Any]:
    """``map_replace``: keys and values replaced by name; a new key may not be there already."""
    entries, changed = _map(source, "the first argument is a map"), _map(changes, "the second argument is a map")
    strange = changed.keys() - {"keys", "values"}
    if strange:
        raise ValueError(f"only keys and values are replaced, not {', '.join(sorted(strange))}")
    keys, values = _map(changed.get("keys"), "keys is a map"), _map(changed.get("values"), "values is a map")
    replaced: dict[str, Any] = {}
    for old, value in entries.items():
        key = keys.get(old)
        if key is None:
            key = old
        elif (key in entries and key != old) or key in replaced:
            raise ValueError(f"the key {key} is there already")
        replaced[key] = values.get(value, value) if not isinstance(value, (dict, list)) else value
    return replaced


def repeat(template: Any, for_each: Any, mode: Any = "maps", permutations: Any = True) -> list[Any]:
    """``repeat``: the template once for every combination (or, without permutations, for every row), names replaced in all its text.

    ``mode``: ``lists`` before 2016-10-14, ``maps`` since (a map stands for its keys).
    """
    if not isinstance(for_each, dict) or not for_each:
        raise ValueError("for_each is a map of names to lists")
    if not isinstance(permutations, bool):
        raise ValueError("permutations is true or false")
    rows = []
    for values in for_each.values():
        if values is not None and not isinstance(values, list) and not (mode == "maps" and permutations and isinstance(values, dict)):
            raise ValueError(f"the values of for_each are lists{' or maps' if mode == 'maps' and permutations else ''}, not {_short(values)}")
        rows.append(list(values or ()))
    lengths = {len(r) for r, v in zip(rows, for_each.values(), strict=True) if v is not None}
    if not permutations and len(lengths) > 1:
        raise ValueError("without permutations, all lists of for_each have one length")
    names = list(for_each)
    combined = itertools.product(*rows) if permutations else zip(*rows, strict=False)
    return [_put_in(template, names, values) for values in combined]


def _put_in(template: Any, names: Sequence[str], values: Sequence[Any]) -> Any:
    if isinstance(template, str):
        for name, value in zip(names, values, strict=True):
            if not isinstance(value, str):
                raise ValueError(f"only text is put in, not {_short(value)}; put it in quotes")
            template = template.replace(name, value)
        return template
    if isinstance(template, list):
        return [_put_in(t, names, values) for t in template]
    if isinstance(template, dict):
        return {_put_in(k, names, values): _put_in(v, names, values) for k, v in template.items()}
    return template


def filter_out(values: Any, sequence: Any) -> Any:
    """``filter``: the list without the values."""
    if not sequence:
        return sequence
    if not isinstance(sequence, list) or (values and not isinstance(values, list)):
        raise ValueError("values and sequence are lists")
    if not values:
        return sequence
    return [i for i in sequence if i not in values]


def list_concat(*lists: Any) -> list[Any]:
    """``list_concat``: null counts as empty."""
    joined: list[Any] = []
    for part in lists:
        if part is not None and not isinstance(part, list):
            raise ValueError(f"lists are concatenated, not {_short(part)}")
        joined += part or []
    return joined


def list_concat_unique(*lists: Any) -> list[Any]:
    """``list_concat_unique``: the first of equal items stays."""
    found: list[Any] = []
    for item in list_concat(*lists):
        if item not in found:
            found.append(item)
    return found


def contains(value: Any, sequence: Any) -> bool:
    """``contains``: an item of a list, or a part of a text."""
    if isinstance(sequence, str) and isinstance(value, str):
        return value in sequence
    if not isinstance(sequence, list):
        raise ValueError(f"the second argument is a list, not {_short(sequence)}")
    return value in sequence


def same(one: Any, other: Any) -> bool:
    """``equals``: the same value of the same kind; "5" is not 5."""
    return bool(one == other)


_URL_KEYS = ("scheme", "username", "password", "host", "port", "path", "query", "fragment")


def make_url(parts: Any) -> str:
    """``make_url``: every part is quoted, an IPv6 host gets brackets."""
    if not isinstance(parts, dict):
        raise ValueError("its argument is a map")
    strange = parts.keys() - set(_URL_KEYS)
    if strange:
        raise ValueError(f"a URL has no {', '.join(sorted(map(str, strange)))}; it has {', '.join(_URL_KEYS)}")
    for key, value in parts.items():
        if key not in ("port", "query") and not isinstance(value, str):
            raise ValueError(f"{key} must be text, not {_short(value)}")
    scheme, query = parts.get("scheme", ""), parts.get("query", {})
    if ":" in scheme:
        raise ValueError("a scheme has no ':'")
    if not isinstance(query, dict):
        raise ValueError("query is a map")
    path, fragment = quote(parts.get("path", "")), quote(parts.get("fragment", ""))
    url: str = urlunsplit((scheme, _authority(parts), path, urlencode(query).replace("%2F", "/"), fragment))
    return url


def _authority(parts: dict[str, Any]) -> str:
    username, password = quote(parts.get("username", ""), safe=""), quote(parts.get("password", ""), safe="")
    credentials = f"{username}:{password}@" if password else f"{username}@" if username else ""
    host = parts.get("host", "")
    host = quote(host[1:-1] if host.startswith("[") and host.endswith("]") else host, safe=":")
    return credentials + (f"[{host}]" if ":" in host else host) + _port(parts.get("port", ""))


def _port(port: Any) -> str:
    if port in ("", None):
        return ""
    try:
        number = int(port)
    except (TypeError, ValueError):
        raise ValueError(f"the port must be a number, not {_short(port)}") from None
    if not 0 < number <= 65535:
        raise ValueError(f"the port {number} is not in 1..65535")
    return f":{port}"


def select(index: Any, items: Any) -> Any:
    """``Fn::Select`` in Heat: from a list or a map, or JSON of one; the empty text where there is nothing."""
    if isinstance(items, str) and items:
        items = json.loads(items)
    if items is None or items == "":
        return ""
    if isinstance(items, dict):
        if not isinstance(index, str):
            raise ValueError("the key must be text")
        return items.get(index, "")
    if not isinstance(items, list):
        raise ValueError(f"it selects from lists and maps, not from {_short(items)}")
    try:
        return items[int(index)]
    except IndexError:
        return ""
    except (TypeError, ValueError):
        raise ValueError(f"the index must be a number, not {_short(index)}") from None


def split(delimiter: Any, text: Any) -> list[str]:
    """``Fn::Split`` in Heat."""
    if not isinstance(delimiter, str) or not isinstance(text, str) or not delimiter:
        raise ValueError("delimiter and text must be text")
    return text.split(delimiter)


def plain_base64(text: Any) -> str:
    """``Fn::Base64`` in Heat: the text as it is (servers take theirs unencoded)."""
    if not isinstance(text, str):
        raise ValueError(f"its argument must be text, not {_short(text)}")
    return text


def member_list(key_name: Any, value_name: Any, members: Any) -> dict[str, str]:
    """``Fn::MemberListToMap``: ``.member.0.Name=a``, ``.member.0.Value=b`` to ``{a: b}``."""
    if not isinstance(members, list) or not all(isinstance(m, str) and "=" in m for m in members):
        raise ValueError("the third argument is a list of texts such as .member.0.Name=key")
    flat = dict(m.split("=", 1) for m in members)
    prefixes = sorted({k.rpartition(".")[0] for k in flat})
    return {flat[f"{p}.{key_name}"]: flat[f"{p}.{value_name}"] for p in prefixes if f"{p}.{key_name}" in flat and f"{p}.{value_name}" in flat}


def condition(value: Any) -> bool:
    """A condition that is a parameter or an expression must be true or false itself."""
    if not isinstance(value, bool):
        raise ValueError(f"a condition is true or false, not {_short(value)}; compare it by equals")
    return value


def or_empty(value: Any) -> Any:
    """``get_param`` with a path that leads nowhere gives the empty text."""
    return "" if value is None else value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "str_replace": str_replace, "str_replace_text": str_replace_text, "str_replace_strict": str_replace_strict, "str_replace_vstrict": str_replace_vstrict,
    "list_join": list_join, "list_join_text": list_join_text, "str_split": str_split, "digest": digest, "map_merge": map_merge, "map_replace": map_replace,
    "repeat": repeat, "filter": filter_out, "list_concat": list_concat, "list_concat_unique": list_concat_unique, "heat_contains": contains, "same": same,
    "make_url": make_url, "yaql": yaql, "heat_select": select, "heat_split": split, "heat_base64": plain_base64, "member_list": member_list,
    "or_empty": or_empty, "heat_condition": condition,
}  # fmt: skip


def apply(name: Any, arguments: Any) -> Any:
    """A function whose whole list of arguments is computed (``map_merge: {get_param: maps}``)."""
    if not isinstance(arguments, list):
        raise ValueError(f"its arguments are a list, not {_short(arguments)}")
    return FUNCTIONS[name](*arguments)


FUNCTIONS["apply"] = apply
