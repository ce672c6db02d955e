"""A failed action in words: what happened, on which host, with which libvirt code, and what to try."""

from __future__ import annotations

from stackengine.engine.ports import Failure
from stackengine.engine.redact import Redactor
from stackengine.planning.plan import Action
from stackengine.sdk import FailedError, HostError


def describe(action: Action, error: BaseException, redactor: Redactor) -> Failure:
    """The failure of ``action``; no secret stays in it."""
    message, hint, tail, host, code = str(error) or type(error).__name__, "", "", action.instance.host, 0
    if isinstance(error, HostError):
        hint, host, code = error.hint, error.host or host, error.code
        if error.call:
            message = f"{error.call}: {message}"
    elif isinstance(error, FailedError):
        hint, tail = error.hint, error.tail
    else:
        message = f"{type(error).__name__}: {message}"
    return Failure(action.id, redactor.text(message), redactor.text(hint), host, code, redactor.text(tail))
