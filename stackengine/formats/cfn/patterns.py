"""Java's regular expressions, in which CloudFormation's AllowedPattern is written, as Python's."""

from __future__ import annotations

import re

_POSIX = {
    "Lower": "a-z", "Upper": "A-Z", "ASCII": r"\x00-\x7F", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "Graph": r"\x21-\x7E",
    "Print": r"\x20-\x7E", "Blank": r" \t", "Cntrl": r"\x00-\x1F\x7F", "XDigit": "0-9a-fA-F", "Space": r" \t\n\x0B\f\r",
    "Punct": r"!-/:-@\[-`{-~", "IsAlphabetic": r"^\W\d_", "L": r"^\W\d_", "IsLetter": r"^\W\d_", "N": r"\d", "Nd": r"\d", "IsDigit": r"\d",
    "Lu": "A-ZÀ-ÖØ-Þ", "Ll": "a-zß-öø-ÿ", "IsUppercase": "A-ZÀ-ÖØ-Þ", "IsLowercase": "a-zß-öø-ÿ",
    "P": r"!-/:-@\[-`{-~", "Z": r"\s", "S": r"$+<=>^`|~", "M": "\u0300-\u036f",
    "C": r"\x00-\x1F\x7F-\x9F",
}  # fmt: skip
_ALL = {"L": "a-zA-ZªµºÀ-ÖØ-öø-ˁˆ-ˑͰ-ͽΆ-ϿЀ-ԯԱ-ՖҊ-֏א-תؠ-يऄ-हก-ะᄀ-ᇿḀ-ῼ぀-ヿ㐀-䶿一-鿿가-힣"}
_SURROGATES = r"\ud800\udc00-\udbff\udfff"


def translated(pattern: str) -> str:
    """``pattern`` in Python's spelling; ValueError for what has no counterpart."""
    pattern = re.sub(re.escape(_SURROGATES), lambda _: r"\U00010000-\U0010ffff", pattern, flags=re.IGNORECASE)
    out: list[str] = []
    position, inside = 0, 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\":
            text, position = _escape(pattern, position, inside > 0)
            out.append(text)
            continue
        if char == "[" and inside:
            inside, position = inside + 1, position + 1  # a union of classes: [a-z[0-9]]
            if pattern.startswith("^", position):
                raise ValueError("a negated class within a class")
            continue
        if char == "[":
            inside = 1
            out.append("[^" if pattern.startswith("^", position + 1) else "[")
            position += len(out[-1])
            if pattern.startswith("]", position):
                out.append(r"\]")
                position += 1
            continue
        if char == "]" and inside:
            inside -= 1
            out += ["]"] if not inside else []
            position += 1
            continue
        if inside and pattern.startswith("&&", position):
            raise ValueError("an intersection of classes")
        if not inside and pattern.startswith("(?<", position) and pattern[position + 3 : position + 4] not in ("=", "!"):
            out.append("(?P<")
            position += 3
            continue
        out.append(char)
        position += 1
    return "".join(out)


def _escape(pattern: str, position: int, inside: bool) -> tuple[str, int]:
    """What stands for an escape, and where to go on."""
    following = pattern[position + 1 : position + 2]
    if following in ("p", "P"):
        found = re.compile(r"\{(\w+)\}|(\w)").match(pattern, position + 2)
        name = (found.group(1) or found.group(2)) if found else ""
        wide = _ALL.get(name.removeprefix("Is").replace("Letter", "L").replace("Alphabetic", "L")) if inside else None
        ranges = wide or _POSIX.get(name) or _POSIX.get(name.removeprefix("Is"))
        if found is None or ranges is None or (inside and (following == "P" or ranges.startswith("^"))):
            raise ValueError(f"the class \\{following}{{{name}}}")
        negated = (following == "P") != ranges.startswith("^")
        return (ranges if inside else f"[{'^' if negated else ''}{ranges.removeprefix('^')}]"), found.end()
    if following == "Q":
        end = pattern.find(r"\E", position)
        quoted = pattern[position + 2 : end if end >= 0 else None]
        return re.escape(quoted), end + 2 if end >= 0 else len(pattern)
    if following == "h":
        return (r" \t\u00a0" if inside else r"[ \t\u00a0]"), position + 2
    if following == "z":
        return r"\Z", position + 2
    if following == "x" and pattern.startswith("{", position + 2):
        end = pattern.index("}", position)
        return f"\\U{int(pattern[position + 3 : end], 16):08x}", end + 1
    if following and following.isalpha() and following not in "dDwWsSbBAZtnrfvaexuU0k":
        raise ValueError(f"the escape \\{following}")
    if following in ("e", "k", "R"):
        return {"e": r"\x1b"}.get(following, "\\" + following), position + 2
    return pattern[position : position + 2], position + 2
