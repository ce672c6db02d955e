"""Calls of handlers: a program with JSON on its standard input, a Python function, an HTTP service. The machine's owner allows each by name."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from stackengine import sdk

MOST = 1 << 20
"""Bytes of an answer."""
ANSWER = 'the answer is a JSON object: {"Status": "SUCCESS", "PhysicalResourceId": "...", "Data": {...}}'


def call(ctx: sdk.Context, want: sdk.Properties, request: str, known: str | None, last: sdk.Properties | None) -> dict[str, Any]:
    """The answer to one request, a mapping with Status SUCCESS; FailedError says what else came."""
    handler, timeout = str(want["handler"]), float(want["timeout"])
    event = _event(ctx, want, request, known, last)
    try:
        answer = _sent(ctx.allowed, handler, event, timeout)
    except sdk.RefusedError:
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
        return "what it wrote to its standard error says why; the request came as JSON on its standard input"
    if isinstance(error, (subprocess.TimeoutExpired, TimeoutError)):
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


def _sent(allowed: sdk.Allowed, handler: str, event: dict[str, Any], timeout: float) -> Any:
    if handler.startswith(("http://", "https://")):
        _need(allowed.may_call(handler), handler, "urls")
        return _posted(handler, event, timeout)
    if handler.startswith("/"):
        _need(allowed.may_run(handler), handler, "commands")
        return _run(handler, event, timeout)
    _need(allowed.may_import(handler), handler, "python")
    module, _, function = handler.partition(":")
    return getattr(importlib.import_module(module), function)(event, None)


def _need(permitted: bool, handler: str, field: str) -> None:
    if not permitted:
        raise sdk.RefusedError(f"{handler} may not be called on this machine", hint=f"who owns this machine can allow it: allow.{field} in owner.yaml")


def _run(program: str, event: dict[str, Any], timeout: float) -> Any:
    done = subprocess.run([program], input=json.dumps(event).encode(), capture_output=True, timeout=timeout, check=False)
    if done.returncode:
        raise sdk.FailedError(f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-500:].strip()}", hint="its standard error says why")
    return json.loads(done.stdout[:MOST] or b"{}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An allowed service does not lead to one that is not."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _posted(url: str, event: dict[str, Any], timeout: float) -> Any:
    request = urllib.request.Request(url, json.dumps(event).encode(), {"Content-Type": "application/json"}, method="POST")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
        return json.loads(answer.read(MOST) or b"{}")
