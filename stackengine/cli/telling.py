"""What people and programs are told around an operation: the plan before, how it ended after."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stackengine.cli.render import diagnostics, failures, timeline
from stackengine.cli.render import plan as plan_view
from stackengine.cli.render.outputs import outputs_lines
from stackengine.cli.render.plan_data import plan_data
from stackengine.cli.render.values import to_data
from stackengine.cli.views import View
from stackengine.service.types import OperationResult, Preview

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal

_QUESTIONS = {"delete": "Delete all this?", "rollback": "Roll back?"}


def introduce(preview: Preview, terminal: Terminal) -> None:
    """Say which host is used when nobody said, that nothing real runs when it does not, and every warning."""
    if preview.host_is_default:
        terminal.note(f"no host named: using {preview.host}")
    if preview.simulated:
        terminal.note(f"simulated: {preview.host} runs no real guests")
    found = list(preview.diagnostics)
    if found and not terminal.json:
        sources = {s.name: s.text for s in preview.sources}
        terminal.say(diagnostics.render(found, sources, terminal.err_style) + "\n")


def warn_of_part(args: argparse.Namespace, terminal: Terminal) -> None:
    """``--target``: the rest of the template is not applied."""
    if args.target:
        terminal.warn(f"--target: only {', '.join(args.target)} and what that depends on; the rest of the template is not applied")


def propose(preview: Preview, args: argparse.Namespace, terminal: Terminal) -> bool:
    """Show the plan and ask; False where the answer was no. Nothing is asked where nothing is to do."""
    introduce(preview, terminal)
    if terminal.json:
        terminal.document("plan", plan_data(preview), line=True)
    else:
        terminal.say(plan_view.render(preview, terminal.err_style, explain=bool(args.verbose)))
    if preview.plan.empty or args.yes:
        return True
    if terminal.ask(_QUESTIONS.get(preview.kind, "Carry this out?")):
        return True
    terminal.say("nothing was done")
    return False


def nothing(stack: str, terminal: Terminal) -> None:
    """There was no operation to resume."""
    if terminal.json:
        terminal.document("result", {"stack": stack, "status": "nothing", "failures": [], "rollback_failures": [], "outputs": {}}, line=True)
    else:
        terminal.say(f"{stack}: nothing to resume")


def conclude(stack: str, result: OperationResult, view: View, preview: Preview | None, terminal: Terminal) -> None:
    """How it ended: failures first (root cause on top), the timeline, one line, the outputs on stdout."""
    plan = preview.plan if preview else None
    if terminal.json:
        terminal.document("result", _result_data(stack, result), line=True)
    style = terminal.err_style
    sources = {s.name: s.text for s in preview.sources} if preview else None
    for found, of, heading in ((result.failures, plan, ""), (result.rollback_failures, None, "The rollback failed too:")):
        if found:
            terminal.say("\n" + (f"{heading}\n" if heading else "") + failures.render(found, of, style, sources))
    bars = "" if terminal.json else timeline.render(view.progress, style)
    if bars:
        terminal.say("\n" + bars + "\n")
    if plan is None or not plan.empty or result.status != "complete":
        terminal.say(failures.ending(stack, result, style))
    if advice := failures.advice(stack, result):
        terminal.say(style.paint("hint: ", "cyan", "bold") + advice)
    if result.outputs and not terminal.json and result.status == "complete" and result.kind != "delete":
        terminal.data(outputs_lines(result.outputs, terminal.style))


def _result_data(stack: str, result: OperationResult) -> dict[str, object]:
    return {
        "stack": stack,
        "operation": result.operation,
        "operation_kind": result.kind,
        "status": result.status,
        "revision": result.revision,
        "elapsed": round(result.elapsed, 3),
        "failures": [failures.to_data(f) for f in result.failures],
        "rollback_failures": [failures.to_data(f) for f in result.rollback_failures],
        "outputs": to_data(result.outputs),
    }
