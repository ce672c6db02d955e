"""Use cases on template files: validate, and new ones from the gallery."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stackengine.evaluate import Evaluated, Explored, evaluate, explore
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError, did_you_mean
from stackengine.model.mark import Mark
from stackengine.model.template import Language, Template
from stackengine.service import owner, sources
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, Request, ServiceError

NOT_GIVEN = ("P102", "R112")
"""What is wrong only because nobody said a parameter's value, or a region."""

OURS_ONLY = ("C174",)
"""What a language allows and only this engine cannot do."""


def explored(session: Session, request: Request) -> tuple[Template | None, Explored | None, Diagnostics]:
    """What a template says in its own language, however much of it is right.

    What is wrong with types that we do not have, or with their properties as native types want them, is only a warning.
    """
    diagnostics, native = Diagnostics(), Diagnostics()
    try:
        template, environment = sources.read_all(request.template, request.environments, diagnostics, session.allowed, given=request.parameters, lenient=True)
    except InvalidTemplateError as error:
        return None, None, error.diagnostics
    found = explore(
        template, request.given_for(template.parameters), session.registry, stack_name=request.name, stack_id="0", diagnostics=diagnostics, native=native,
        environment=environment,
    )
    diagnostics.extend(replace(d, severity="warning") if d.severity == "error" else d for d in native)
    softened = _softened(diagnostics, request)
    softened.items[:] = [replace(d, severity="warning") if d.code in OURS_ONLY else d for d in softened.items]
    return template, found, softened


def _softened(diagnostics: Diagnostics, request: Request) -> Diagnostics:
    """Without an environment file, a nested HOT template's missing parameter is only a warning: ``parameter_defaults`` may give it."""
    if not request.environments:
        for number, d in enumerate(diagnostics.items):
            if d.code == "N105" and d.severity == "error" and "parameter_defaults" in d.hint:
                diagnostics.items[number] = replace(d, severity="warning")
    return diagnostics


def evaluate_only(session: Session, request: Request, diagnostics: Diagnostics) -> Evaluated | None:
    """Template and parameters, nothing else: for ``validate`` and ``graph``; None when ``diagnostics`` got errors."""
    template, environment = sources.read_all(request.template, request.environments, diagnostics, session.allowed, given=request.parameters)
    found = evaluate(
        template, request.given_for(template.parameters), session.registry, stack_name=request.name, stack_id="0", diagnostics=diagnostics,
        environment=environment, missing="record" if request.accept_inert else "refuse",
    )  # fmt: skip
    if found is not None:
        owner.with_sources(found.desired, session.registry, request.template.parent, session.allowed, diagnostics)
        owner.check_devices(found.desired, session.registry, session.allowed, diagnostics)
        owner.with_calls(found.desired, session.registry, session.allowed, diagnostics, accept_inert=request.accept_inert)
    return found


def graph(session: Session, request: Request) -> Desired:
    """The desired state behind a template, for drawing."""
    diagnostics = Diagnostics()
    found = evaluate_only(session, request, diagnostics)
    if found is None:
        raise InvalidTemplateError(diagnostics)
    return found.desired


def validate(
    session: Session, paths: Sequence[Path], parameters: dict[str, Any], environments: Sequence[Path], *, accept_inert: bool = False,
    strict: bool = False,
) -> Diagnostics:  # fmt: skip
    """Every diagnostic of every file, in one run. Parameters without a value are no fault here; ``strict``: warnings are faults, too."""
    found = Diagnostics()
    for path in paths:
        if not path.is_file():
            what = "this is a folder" if path.is_dir() else "no such file"
            hint = "name the template file in it" if path.is_dir() else "a path is taken from the folder where you are"
            found.error("T116", what, Mark(str(path), 1, 1, 1, 1), hint)
            continue
        diagnostics = Diagnostics()
        request = Request("validate", path, dict(parameters), tuple(environments), accept_inert=accept_inert)
        try:
            evaluate_only(session, request, diagnostics)
        except InvalidTemplateError as error:
            diagnostics = error.diagnostics
        found.extend(d for d in _softened(diagnostics, request) if d.code not in NOT_GIVEN)
    if strict:
        found.promote()
    return found


def convert(session: Session, path: Path, to: Language) -> tuple[str, Diagnostics]:
    """(a template's text in another language, what is wrong or cannot be said); the text is empty where the template has errors."""
    from stackengine.evaluate.convert import converted
    from stackengine.formats.write import write

    diagnostics = Diagnostics()
    try:
        template = sources.read_template(path, diagnostics, session.allowed)
    except InvalidTemplateError as error:
        return "", error.diagnostics
    return write(converted(template, to, session.registry, diagnostics), diagnostics), diagnostics


def gallery_folder() -> Path:
    """The built-in templates: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "_templates"
    return inside if inside.is_dir() else package.parent / "templates"


def gallery() -> dict[str, Path]:
    """The examples by name."""
    return {p.name: p for p in sorted(gallery_folder().iterdir()) if p.is_dir() and any(p.glob("*/stack.yaml"))}


def new(name: str, language: str, destination: Path) -> Path:
    """Copy an example to ``destination`` (a folder); the path of the new template."""
    known = gallery()
    if name not in known:
        raise NotThereError(f"the gallery has no {name}", hint=did_you_mean(name, known) or f"it has: {', '.join(known)}")
    source = known[name] / language
    if not (source / "stack.yaml").is_file():
        raise NotThereError(f"{name} is not there in {language}", hint=f"it is in: {', '.join(sorted(p.name for p in known[name].iterdir() if p.is_dir()))}")
    if destination.exists() and not destination.is_dir():
        raise ServiceError(f"{destination} is a file", hint="name a folder", exit_code=2)
    target = destination / "stack.yaml"
    if target.exists():
        raise ServiceError(f"{target} is there already", hint="name another folder", exit_code=2)
    destination.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file():
            shutil.copy(file, destination / file.name)
    return target
