"""A failed action in words: what happened, on which host, with which libvirt code, and what to try."""

from __future__ import annotations

from stackengine.engine.ports import Failure
from stackengine.engine.redact import Redactor
from stackengine.engine.resolution import ReplaceNeededError
from stackengine.evaluate import EvaluationError
from stackengine.planning.plan import Action
from stackengine.sdk import AgentError, ExistsError, FailedError, HostError, NotFoundError, TransientError, UnreachableError, UnsupportedError

_NEXT: tuple[tuple[type[HostError], str], ...] = (
    (UnreachableError, "is the host there? stack-run hosts doctor {host}"),
    (TransientError, "the host was busy for too long: say the command again"),
    (ExistsError, "something that is not this stack's is in the way on {host}: rename or remove it, or take it over by stack-run import"),
    (NotFoundError, "something that it needs is gone from {host}: stack-run drift STACK shows what, repair brings it back"),
    (AgentError, "the guest's agent does not answer: stack-run logs STACK {path} shows what the guest does"),
    (UnsupportedError, "{host} cannot do this: stack-run hosts doctor {host} says what it can"),
    (HostError, "libvirt's own log on {host} says more; stack-run hosts doctor {host} looks for the usual causes"),
)
"""What to try, by the class of a host's error, where nothing better is known of it."""


def what_to_try(error: HostError, host: str = "", path: str = "") -> str:
    """What to do next about a host's error; ``host`` and ``path``: where it was, as far as it is known."""
    return error.hint or next(text for kind, text in _NEXT if isinstance(error, kind)).format(host=host or error.host or "HOST", path=path or "PATH")


def describe(action: Action, error: BaseException, redactor: Redactor) -> Failure:
    """The failure of ``action``; no secret stays in it."""
    message, hint, tail, host, code = str(error) or type(error).__name__, "", "", action.instance.host, 0
    if isinstance(error, HostError):
        host, code = error.host or host, error.code
        hint = what_to_try(error, host, action.path)
        if error.call:
            message = f"{error.call}: {message}"
    elif isinstance(error, FailedError):
        hint, tail = error.hint or f"stack-run events STACK shows what led to it; stack-run show STACK {action.path} how it stands now", error.tail
    elif isinstance(error, ReplaceNeededError):
        hint = "say up again: its plan shows the replacement, and asks"
    elif isinstance(error, EvaluationError):
        hint = "a function of the template refused a value that was known only now: mend the template, and say the command again"
    else:
        message = f"{type(error).__name__}: {message}"
        hint = f"a fault of the type {action.instance.type} or of stack-run; --log-file FILE keeps everything that led to it"
    return Failure(action.id, redactor.text(message), redactor.text(hint), host, code, redactor.text(tail), action.instance.type, action.mark)
