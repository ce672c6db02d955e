"""What may pass is tried again: host calls, by the class of their error (tenacity, exponential back-off with jitter)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from stackengine.sdk import Attempt, HostError, TransientError, UnreachableError, tell

T = TypeVar("T")
log = logging.getLogger("stackengine.hosts")

ATTEMPTS = 5
RETURN_SECONDS = 30.0
"""How long a host that went away is waited for before a call fails."""


class HangingError(UnreachableError):
    """The host answers keepalives, and a call does not come back: it is not tried again."""


def again_and_again(work: Callable[..., T], *args: Any, reached: Callable[[], bool] = lambda: False, longest: float = 3.0) -> T:
    """``work(*args)``, tried again after what may pass, and for a while when a host went away that was ``reached`` before.

    ``longest``: seconds between two attempts at most. One that was never reached is said at once.
    """

    def may_pass(error: BaseException) -> bool:
        return isinstance(error, TransientError) or (isinstance(error, UnreachableError) and reached())

    attempts = Retrying(
        retry=retry_if_exception(may_pass), stop=_enough, wait=wait_random_exponential(longest / 15, max=longest), reraise=True, before_sleep=_tell
    )
    result: T = attempts(work, *args)
    return result


def _enough(state: RetryCallState) -> bool:
    """Whether a call has been tried often or long enough: a few times for what may pass, for a while when the host went away."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, HangingError):
        return True
    if isinstance(error, UnreachableError):
        return (state.seconds_since_start or 0) > RETURN_SECONDS
    return state.attempt_number >= ATTEMPTS


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait, number = (state.next_action.sleep if state.next_action else 0.0), state.attempt_number + 1
    call, host, code = (error.call, error.host, error.code) if isinstance(error, HostError) else ("", "", 0)
    log.info("%s: %s; trying again in %.1f s (attempt %d)", host, error, wait, number)
    tell(Attempt(call, host, str(error), code, number, wait))
