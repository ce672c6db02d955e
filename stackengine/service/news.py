"""What a process that lives long says of its troubles: each once, until it is over or another."""

from __future__ import annotations

from collections.abc import Callable


class News:
    """Passes on what is news. A trouble that comes again with every round fills no log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._last = say, ""

    def trouble(self, text: str) -> None:
        """This is wrong; said unless it was the last thing said."""
        if text != self._last:
            self._say(text)
        self._last = text

    def fine(self) -> None:
        """It went: the same trouble is news again."""
        self._last = ""
