"""What changes for one step, as a line: for logs, pipes and above a live view."""

from __future__ import annotations

from stackengine.cli.render.progress import Step, Walk
from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.times import span
from stackengine.events import Event

_SHOWN = frozenset(("action.begin", "action.attempt", "action.progress", "action.configured", "action.ready", "action.done", "action.failed", "action.skipped"))


def transition(event: Event, step: Step, style: Style = PLAIN) -> str | None:
    """The line for one event, or None where there is nothing to say."""
    if event.kind not in _SHOWN or (event.kind == "action.configured" and not step.gated):
        return None
    kind = f" ({step.type})" if step.type else ""
    head = f"{style.verb('replace' if step.replaces else step.verb)} {style.paint(step.path, 'bold')}"
    match event.kind:
        case "action.begin":
            return f"{head}: {step.doing()}{kind}"
        case "action.attempt" | "action.progress":
            return f"{head}: {step.message}" if step.message else None
        case "action.configured":
            return f"{head}: configured after {span(event.at - step.began)}, waiting {step.gate or 'to be ready'}"
        case "action.failed":
            message = str(step.error.get("message", "")).strip().partition("\n")[0]
            return f"{head}: {style.paint('failed', 'red', 'bold')} after {span(step.ended - step.began)}" + (f": {message}" if message else "")
        case "action.skipped":
            reason = str(event.payload.get("reason", ""))
            return f"{head}: nothing to do" + (f" ({reason})" if reason not in ("", "nothing to do") else "")
        case _:
            return f"{head}: {style.paint(step.did(), 'green')} in {span(step.ended - step.began)}"


def walk_line(walk: Walk, cancelling: str, now: float) -> str:
    """``12/31 done, 4 running, 1m12s``."""
    count = f"{walk.over()}/{walk.total}" if walk.total else str(walk.over())
    running = len(walk.running())
    parts = [f"{count} done", *([f"{running} running"] if running else []), span(now - walk.began), *([f"cancelling ({cancelling})"] if cancelling else [])]
    return ", ".join(parts)


def heartbeat(walk: Walk, cancelling: str, now: float, most: int = 3) -> str:
    """One line for all that runs: ``… 12/31 done, 2 running, 1m12s: web 40s (waiting), db 12s (copying 40 %)``."""
    running = sorted(walk.running(), key=lambda s: s.began)
    named = [f"{s.path} {span(now - s.began)} ({_state(s)})" for s in running[:most]]
    more = f" and {len(running) - most} more" if len(running) > most else ""
    return f"… {walk_line(walk, cancelling, now)}" + (f": {', '.join(named)}{more}" if named else "")


def _state(step: Step) -> str:
    return f"waiting {step.message}".rstrip() if step.state == "waiting" else step.message or step.doing()


def walk_began(walk: Walk, stack: str) -> str:
    """The line at the start of an operation."""
    count = f": {walk.total} action{'s' if walk.total != 1 else ''}" if walk.total else ""
    return f"{stack}: {walk.kind or 'operation'} started{count}"
