"""Secrets never get into the log: texts from hosts and guests are cleaned before they are recorded."""

from __future__ import annotations

from typing import Any

SHORTEST = 4
"""Secrets shorter than this many characters are not looked for in texts: they would blot out everything."""


class Redactor:
    """Knows the secrets that were opened during one operation."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._whole: set[str] = set()

    def learn(self, value: Any) -> None:
        """Remember every text in a revealed secret, line by line as well as whole."""
        if isinstance(value, dict):
            for part in value.values():
                self.learn(part)
        elif isinstance(value, list):
            for part in value:
                self.learn(part)
        elif isinstance(value, (str, int)) and not isinstance(value, bool):
            text = str(value)
            self._whole.add(text)
            self._secrets.update(t for t in (text, *text.splitlines()) if len(t.strip()) >= SHORTEST)

    def holds(self, value: Any) -> bool:
        """Whether a leaf is a secret, however short, or a text with one in it."""
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return False
        return str(value) in self._whole or (isinstance(value, str) and any(s in value for s in self._secrets))

    def text(self, text: str) -> str:
        """``text`` with secrets as ``***``; the longest first, so that no part of one stays."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def value(self, value: Any) -> Any:
        """JSON with every text cleaned."""
        if not self._secrets:
            return value
        if isinstance(value, dict):
            return {self.text(k): self.value(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.value(v) for v in value]
        return self.text(value) if isinstance(value, str) else value
