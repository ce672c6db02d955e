"""Use cases on workflows that a template has besides its stack's own life: what there is, one run, and what is to be done where it failed.

A run is an update of the stack by the workflow's deployments, in the order of its steps: planned, journaled and resumed like any other. What was
made for it is taken away afterwards. The stack must be as its template says, so that the plan of a run holds nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.template import Procedure, Resource, Template
from stackengine.service import sources
from stackengine.service.types import Preview, Request, ServiceError

if TYPE_CHECKING:
    from stackengine.service.session import Session


def procedures(session: Session, request: Request) -> dict[str, Procedure]:
    """The workflows of a template, by name."""
    diagnostics = Diagnostics()
    template, _ = sources.read_all(request.template, request.environments, diagnostics, session.allowed, given=request.parameters)
    return dict(template.procedures)


def with_procedure(template: Template, request: Request) -> Template:
    """The template with what the workflow of the request makes; ServiceError where it has none that can be run."""
    if not request.workflow:
        return template
    found = template.procedures.get(request.workflow)
    if found is None:
        known = ", ".join(template.procedures) or "none"
        hint = did_you_mean(request.workflow, template.procedures) or f"it has: {known}"
        raise ServiceError(f"the template has no workflow {request.workflow}", hint=hint, exit_code=2)
    if found.refusal:
        raise ServiceError(f"the workflow {found.name} cannot be run: {found.refusal}", hint=f"see {found.mark}", exit_code=3)
    more: dict[str, Resource] = {}
    for path in request.failed:
        more |= found.recoveries.get(path, {})
    return replace(template, resources={**template.resources, **(more or found.resources)}, parameters={**template.parameters, **found.parameters})


def preview(session: Session, request: Request) -> Preview:
    """The plan of a run; ServiceError where the stack is not there, or not as its template says."""
    from stackengine.service import prepare

    prepare.find_stack(session, request.name)
    made = prepare.prepare_up(session, request)
    own = _paths(procedures(session, request)[request.workflow])
    others = sorted({a.path for a in made.plan.actions.values()} - own)
    if others:
        hint = "bring it there first: stack-run up; give the workflow the same parameters"
        raise ServiceError(f"the stack {request.name} is not as its template says: {', '.join(others[:5])}", hint=hint)
    return made


def recovery(session: Session, request: Request) -> Preview | None:
    """What a workflow says to do where its run failed; None where it says nothing."""
    from stackengine.service import prepare

    row = prepare.find_stack(session, request.name)
    known = procedures(session, request)[request.workflow].recoveries
    recorded = session.store.recorded(row.id)
    failed = tuple(i.path for i in recorded.instances.values() if i.path in known and i.status == "failed")
    return prepare.prepare_up(session, replace(request, failed=failed)) if failed else None


def cleared(session: Session, request: Request) -> Preview | None:
    """The plan that takes away what was made for a run; None where there is nothing."""
    from stackengine.service import prepare

    own = procedures(session, request)[request.workflow]
    made = prepare.prepare_up(session, replace(request, workflow="", parameters={n: v for n, v in request.parameters.items() if n not in own.parameters}))
    return None if made.plan.empty else made


def _paths(procedure: Procedure) -> set[str]:
    return {*procedure.resources, *(n for r in procedure.recoveries.values() for n in r)}
