"""What the doctor says about one thing: plain data, which the service layer makes its own."""

from __future__ import annotations

from typing import Literal, NamedTuple

Status = Literal["ok", "warning", "problem", "skipped"]


class Result(NamedTuple):
    """One thing that was looked at, how it is, and how to mend it."""

    check: str
    status: Status
    message: str
    mend: str = ""
