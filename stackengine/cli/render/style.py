"""Colours and glyphs; everything must be understood without them."""

from __future__ import annotations

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36"}
_ASCII = {
    "±": "-/+", "…": "...", "━": "=", "─": "-", "│": "|", "●": "*", "·": "|", "✓": "+", "✗": "x", "├": "|", "└": "`", "■": "#", "↷": ">", "○": "o", "◇": "<>",
    "◆": "<-",
}  # fmt: skip

VERBS: dict[str, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "move": (">", "yellow"),
    "replace": ("±", "magenta"),
    "delete": ("-", "red"),
    "stop": ("■", "yellow"),
    "release": ("↷", "yellow"),
    "retain": ("○", "cyan"),
    "snapshot": ("◇", "cyan"),
    "copy": ("◇", "cyan"),
    "restore": ("◆", "yellow"),
    "discard": ("◇", "dim"),
    "read": ("=", "cyan"),
}
"""Glyph and colour by verb; ``replace`` is a create that takes over from an older generation."""


class Style:
    """How text is dressed for one stream."""

    def __init__(self, *, color: bool = False, unicode: bool = True) -> None:
        self.color, self.unicode = color, unicode

    def paint(self, text: str, *names: str) -> str:
        """``text`` in the named colours (bold, dim, red, …), or as it is where there are none."""
        if not self.color or not names or not text:
            return text
        return f"\x1b[{';'.join(_CODES[n] for n in names)}m{text}\x1b[0m"

    def glyph(self, char: str) -> str:
        """``char``, or its ASCII stand-in where the stream cannot show it."""
        return char if self.unicode else _ASCII.get(char, char)

    def verb(self, verb: str) -> str:
        """The painted glyph of a verb."""
        char, color = VERBS.get(verb, ("?", "dim"))
        return self.paint(self.glyph(char), color, "bold")


PLAIN = Style()
