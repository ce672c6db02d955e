"""Failed actions for people: what, where, why, what was on the console, what to try."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stackengine.cli.render.diagnostics import Lines, place, snippet
from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.times import span
from stackengine.engine.ports import Failure
from stackengine.planning.plan import Action, Plan
from stackengine.service.types import OperationResult

_TAIL = 20
_ENDS = {
    "complete": "complete",
    "failed": "failed",
    "rolled_back": "failed and was rolled back",
    "rollback_failed": "failed, and its rollback failed too",
    "cancelled": "was cancelled",
    "fenced": "was taken over by another process",
}


def render(failures: Iterable[Failure], plan: Plan | None, style: Style = PLAIN, sources: dict[str, str] | None = None) -> str:
    """All of them, the first (the root) first."""
    lines = Lines(sources)
    return "\n\n".join("\n".join(_one(f, plan.actions.get(f.action) if plan else None, lines, style)) for f in failures)


def _one(failure: Failure, action: Action | None, lines: Lines, style: Style) -> list[str]:
    if not failure.action:
        return [style.paint("error: ", "red", "bold") + style.paint(printable(failure.message), "bold"), *_try(failure, style)]
    verb, _, rest = failure.action.partition(":")
    path, kind = rest.partition("@")[0], f" ({failure.type})" if failure.type else ""
    what = f"{verb} of {path}{kind}" if rest else "the operation"
    text = [style.paint("error: ", "red", "bold") + style.paint(what + " failed" + (f" on {failure.host}" if failure.host else ""), "bold")]
    code = f"libvirt error {failure.libvirt_code}: " if failure.libvirt_code else ""
    text += [f"  {printable(line)}" for line in (code + failure.message).splitlines()]
    if action is not None and action.mark.file:
        text.append(f"  {style.paint('-->', 'blue')} {action.mark}")
        text += [f"  {line}" for line in snippet(action.mark, lines, style)]
    elif failure.mark.file:  # of another revision than the plan that was shown: its text is not at hand
        text.append(f"  {style.paint('-->', 'blue')} {failure.mark}")
    tail = failure.tail.rstrip().splitlines()
    if tail:
        text.append(f"  console, last {min(len(tail), _TAIL)} lines:" if len(tail) > 1 else "  console, last line:")
        text += [f"    {style.paint(style.glyph('│'), 'dim')} {printable(line)}".rstrip() for line in tail[-_TAIL:]]
    return [*text, *_try(failure, style)]


def _try(failure: Failure, style: Style) -> list[str]:
    return [f"  {style.paint('try', 'cyan')}: {failure.hint}"] if failure.hint else []


def printable(line: str) -> str:
    """What a guest sent, without the control characters by which it could write elsewhere on the terminal, and without bytes that were no text."""
    return "".join(c if c >= " " and not "\x7f" <= c <= "\x9f" and not "\ud800" <= c <= "\udfff" else " " if c == "\t" else "\ufffd" for c in line)


def ending(stack: str, result: OperationResult, style: Style = PLAIN) -> str:
    """One line: ``three-tier: update complete in 12s, now at revision 4``."""
    line = f"{stack}: {result.kind} {_ENDS[result.status]} in {span(result.elapsed)}"
    if result.status in ("complete", "rolled_back") and result.kind != "delete":
        line += f", now at revision {result.revision}"
    return style.paint(line, "green" if result.status == "complete" else "red", "bold")


def advice(stack: str, result: OperationResult) -> str:
    """What to do next, where that is not plain."""
    match result.status:
        case "rollback_failed":
            return (
                f"mend the cause and say `stack-run rollback {stack} --continue` (`--skip PATH` leaves a resource as it is); "
                f"`stack-run show {stack}` says what is left"
            )
        case "rolled_back":
            return f"everything is as it was before; mend the cause and say it again; `stack-run events {stack}` tells it step by step"
        case "failed" if result.kind == "delete":
            return f"mend the cause and say `stack-run down {stack}` again"
        case "failed":
            return f"`stack-run up` again goes on from here; `stack-run rollback {stack}` takes it back"
        case "fenced":
            return f"`stack-run show {stack}` says how it stands"
        case _:
            return ""


def to_data(failure: Failure) -> dict[str, Any]:
    """A failure as JSON."""
    return {
        "action": failure.action,
        "type": failure.type,
        "message": failure.message,
        "hint": failure.hint,
        "host": failure.host,
        "libvirt_code": failure.libvirt_code,
        "tail": failure.tail,
        "mark": place(failure.mark) if failure.mark.file else None,
    }
