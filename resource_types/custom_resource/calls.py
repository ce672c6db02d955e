"""Calls of handlers: a program with JSON on its standard input, a Python function, an HTTP service. The machine's owner allows each by name."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from stackengine import sdk

from .programs import LOOK, MOST, ask, ask_python

ANSWER = 'the answer is a JSON object: {"Status": "SUCCESS", "PhysicalResourceId": "...", "Data": {...}}'


def call(ctx: sdk.Context, want: sdk.Properties, request: str, known: str | None, last: sdk.Properties | None) -> dict[str, Any]:
    """The answer to one request, a mapping with Status SUCCESS; FailedError says what else came."""
    handler, timeout = str(want["handler"]), float(want["timeout"])
    event = _event(ctx, want, request, known, last)
    try:
        answer = _sent(ctx, handler, event, timeout)
    except (sdk.RefusedError, sdk.Cancelled):
        raise
    except Exception as error:
        raise sdk.FailedError(f"{handler} failed on {request}: {type(error).__name__}: {error}", hint=_next(error, handler, timeout)) from error
    if not isinstance(answer, dict) or answer.get("Status", "SUCCESS") != "SUCCESS":
        reason = answer.get("Reason", "it gave no reason") if isinstance(answer, dict) else "its answer is no JSON object"
        hint = "the handler itself said so: mend its cause, or what the template gives it, and say the command again"
        raise sdk.FailedError(f"{handler} failed on {request}: {reason}", hint=hint)
    if not isinstance(answer.get("Data") or {}, dict):
        raise sdk.FailedError(f"{handler} failed on {request}: Data must be a mapping", hint=ANSWER)
    return answer


def _next(error: Exception, handler: str, timeout: float) -> str:
    """What to do about a call that did not come to an answer."""
    if isinstance(error, sdk.FailedError):
        return error.hint
    if isinstance(error, TimeoutError):
        return f"it has {timeout:g} s: the property ServiceTimeout (timeout) says how long"
    if isinstance(error, urllib.error.URLError):
        return "does the service run there, and does it answer with 200?"
    if isinstance(error, ValueError):
        return ANSWER
    if isinstance(error, (OSError, ImportError, AttributeError)):
        return f"is {handler} there on this machine, and may this user run it?"
    return "the handler raised it: mend it there, and say the command again"


def _event(ctx: sdk.Context, want: sdk.Properties, request: str, known: str | None, last: sdk.Properties | None) -> dict[str, Any]:
    told: Mapping[str, Any] = {"ServiceToken": want["handler"], **want["properties"]}
    digest = hashlib.sha256(json.dumps([ctx.stack_id, ctx.path, ctx.generation, request, told], sort_keys=True).encode()).hexdigest()
    event = {
        "RequestType": request, "RequestId": digest[:32], "StackId": ctx.stack_id, "StackName": ctx.stack, "LogicalResourceId": ctx.path,
        "ResourceType": want["type"], "ResourceProperties": dict(told), "ResponseURL": "",
    }  # fmt: skip
    if known is not None:
        event["PhysicalResourceId"] = known
    if last is not None:
        event["OldResourceProperties"] = {"ServiceToken": last["handler"], **last["properties"]}
    return event


def _sent(ctx: sdk.Context, handler: str, event: dict[str, Any], timeout: float) -> Any:
    allowed = ctx.allowed
    if handler.startswith(("http://", "https://")):
        _need(allowed.may_call(handler), handler, "urls")
        return _within(timeout, ctx.check, lambda: _posted(handler, event, timeout))
    if handler.startswith("/"):
        _need(allowed.may_run(handler), handler, "commands")
        return ask([handler], event, timeout, ctx.check)
    _need(allowed.may_import(handler), handler, "python")
    return ask_python(handler, event, timeout, ctx.check)


def _need(permitted: bool, handler: str, field: str) -> None:
    if not permitted:
        raise sdk.RefusedError(f"{handler} may not be called on this machine", hint=f"who owns this machine can allow it: allow.{field} in owner.yaml")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An allowed service does not lead to one that is not."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _posted(url: str, event: dict[str, Any], timeout: float) -> Any:
    request = urllib.request.Request(url, json.dumps(event).encode(), {"Content-Type": "application/json"}, method="POST")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
        found = answer.read(MOST + 1)
    if len(found) > MOST:
        raise ValueError(f"it answered more than {MOST >> 10} KiB")
    return json.loads(found or b"{}")


def _within(timeout: float, check: Callable[[], None], function: Callable[[], Any]) -> Any:
    """What ``function`` gives within so many seconds, however slowly a service answers; ``check`` is called while it lasts."""
    done: list[Callable[[], Any]] = []

    def work() -> None:
        try:
            found = function()
        except Exception as error:
            done.append(_raising(error))
        else:
            done.append(lambda: found)

    thread, end = threading.Thread(target=work, name="custom resource", daemon=True), monotonic() + timeout
    thread.start()
    while thread.is_alive():
        check()
        if monotonic() > end:
            raise TimeoutError(f"no answer within {timeout:g} s")
        thread.join(LOOK)
    return done[0]()


def _raising(error: Exception) -> Callable[[], Any]:
    def again() -> Any:
        raise error

    return again
