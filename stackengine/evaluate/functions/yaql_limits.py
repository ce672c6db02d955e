"""What keeps a yaql expression of a template within bounds that the library does not keep: time, the size of numbers and text, regular expressions."""

from __future__ import annotations

import builtins
import re
import sys
import time
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from stackengine.model import patterns

SECONDS = 5.0
"""Wall time for one expression."""
MAX_BITS = 200_000
"""Size of a whole number."""
MAX_ITEMS = 2_000_000
"""Characters of a text, items of a list."""


class OutOfBounds(BaseException):
    """An expression went too far. No Exception: the library catches those while it looks for a function that fits."""


class Expressions:
    """``re`` as the library's module of regular expressions uses it, every match within a time limit."""

    UNICODE, IGNORECASE, MULTILINE, DOTALL = re.UNICODE, re.IGNORECASE, re.MULTILINE, re.DOTALL
    escape = staticmethod(re.escape)

    class Expression:
        """A compiled pattern."""

        def __init__(self, pattern: str, flags: int) -> None:
            import regex

            if len(pattern) > patterns.MAX_PATTERN:
                raise ValueError(f"a regular expression has {patterns.MAX_PATTERN} characters at most")
            letters = "".join(letter for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)) if flags & flag)
            self._pattern = regex.compile(f"(?{letters}){pattern}" if letters else pattern)

        def search(self, string: str) -> Any:
            """The first place that matches."""
            return patterns.timed(self._pattern, "search", string)

        def finditer(self, string: str) -> list[Any]:
            """Every place that matches."""
            return list(patterns.timed(self._pattern, "finditer", string))

        def split(self, string: str, maxsplit: int = 0) -> Any:
            """The text between the places that match."""
            return patterns.timed(self._pattern, "split", string, maxsplit)

        def sub(self, repl: Any, string: str, count: int = 0) -> Any:
            """The text with what matches replaced."""
            return patterns.timed(self._pattern, "sub", repl, string, count)

    @classmethod
    def compile(cls, pattern: str, flags: int = 0) -> Expression:
        """A compiled pattern."""
        return cls.Expression(pattern, flags)

    @classmethod
    def search(cls, pattern: str, string: str) -> Any:
        """The first place that matches."""
        return cls.Expression(pattern, 0).search(string)

    @classmethod
    def split(cls, pattern: str, string: str, maxsplit: int = 0) -> Any:
        """The text between the places that match."""
        return cls.Expression(pattern, 0).split(string, maxsplit)

    @classmethod
    def sub(cls, pattern: str, repl: Any, string: str, count: int = 0) -> Any:
        """The text with what matches replaced."""
        return cls.Expression(pattern, 0).sub(repl, string, count)


def register_expressions(context: Any) -> None:
    """The library's functions of regular expressions, once more, over :class:`Expressions`."""
    from importlib.util import find_spec, module_from_spec

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        return Expressions if name == "re" else __import__(name, *args, **kwargs)

    spec = find_spec("yaql.standard_library.regex")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = module_from_spec(spec)
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": importing}
    spec.loader.exec_module(module)
    module.register(context)


def _too_big(local: dict[str, Any]) -> bool:
    """Whether a power, a shift, a replacement or a formatted text would be out of all proportion."""
    match local:
        case {"a": int(base), "b": int(exponent)}:
            return local.get("c") is None and abs(base).bit_length() * exponent > MAX_BITS
        case {"value": int(), "bits_number": int(bits)}:
            return bits > MAX_BITS
        case {"string": str(text), "new": str(new)}:
            return len(text) * len(new) > MAX_ITEMS
        case {"string": str(text), "replacements": dict(all_new)}:
            return len(text) * max((len(str(v)) for v in all_new.values()), default=0) > MAX_ITEMS
    return False


_WATCHED = {"pow_", "shift_bits_left", "replace", "replace_with_dict"}


def bounded(work: Callable[[], Any]) -> Any:
    """What ``work`` gives; OutOfBounds where it takes too long or makes something too large."""
    deadline = time.monotonic() + SECONDS

    def watch(frame: FrameType, event: str, value: Any) -> None:
        if time.monotonic() > deadline:
            raise OutOfBounds(f"it takes longer than {SECONDS:g} s")
        if event == "return":
            large = value.bit_length() > MAX_BITS if isinstance(value, int) else isinstance(value, (str, list, tuple)) and len(value) > MAX_ITEMS
            if large:
                raise OutOfBounds("it makes something too large")
        elif event == "call" and frame.f_code.co_name in _WATCHED and _too_big(frame.f_locals):
            raise OutOfBounds("it makes something too large")

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return work()
    finally:
        sys.setprofile(before)
