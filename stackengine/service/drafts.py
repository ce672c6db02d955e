"""A template made of what a host runs: ``import --write-template``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stackengine.evaluate.convert import VERSIONS
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Entry, Expr, List, Literal, Map, Ref
from stackengine.model.mark import NOWHERE
from stackengine.model.template import Language, Resource, Template
from stackengine.sdk import Draft, Host, HostError, NotFoundError, Uses
from stackengine.service.session import DEFAULT_HOST, Session
from stackengine.service.types import NotThereError, ServiceError


@dataclass(frozen=True, slots=True)
class Written:
    """A template, and how its resources are taken over."""

    host: str
    language: Language
    text: str
    imports: tuple[tuple[str, str], ...]
    """(path, id) of what can be imported, in the order in which one refers to another."""
    external: tuple[tuple[str, str, str], ...]
    """(path, id, why) of what the template only uses."""


@dataclass(slots=True)
class _Drafts:
    """What was found so far, by (type, id)."""

    session: Session
    host: Host
    language: Language
    found: dict[tuple[str, str], tuple[str, Draft]] = field(default_factory=dict)
    """-> (logical id, draft), those that others refer to first."""

    def take(self, type_: str, id_: str, where: dict[str, Any]) -> str:
        """The logical id of an object, which is looked at if it was not yet; what it uses is taken first."""
        draft = self.session.registry.types[type_].handler.draft(self.host, id_, where)
        if draft is None:
            raise NotFoundError(f"a {type_} cannot be imported")
        key = (type_, draft.id)
        if key not in self.found:
            if not draft.unsaid:
                self._take_used(draft.properties)
            self.found[key] = (self._logical_id(draft.name), draft)
        return self.found[key][0]

    def _take_used(self, value: Any) -> None:
        match value:
            case Uses(type=type_, id=id_, where=where):
                self.take(type_, id_, dict(where))
            case dict():
                for item in value.values():
                    self._take_used(item)
            case list():
                for item in value:
                    self._take_used(item)

    def _logical_id(self, name: str) -> str:
        """The name as far as a logical id may be it, once in the template."""
        words = [w for w in re.split(r"[^A-Za-z0-9]+", name) if w] or ["object"]
        plain = "".join(w[0].upper() + w[1:] for w in words) if self.language == "cfn" else "_".join(words)
        base = plain if plain[0].isalpha() else f"r{plain}"
        taken = {logical for logical, _ in self.found.values()}
        return next(n for n in (base, *(f"{base}{k}" for k in range(2, 10_000))) if n not in taken)

    def expr(self, value: Any) -> Expr:
        """A value as an expression; what is used becomes a reference."""
        match value:
            case Uses(type=type_, id=id_, where=where):
                return Ref(self.take(type_, id_, dict(where)))
            case dict():
                return Map(tuple(Entry(k, NOWHERE, self.expr(v)) for k, v in value.items()))
            case list():
                return List(tuple(self.expr(v) for v in value))
            case _:
                return Literal(value)


def write_template(session: Session, names: Sequence[str], language: Language) -> Written:
    """A template of the objects that are named, or of every domain that is nobody's, with the networks and volumes that they use."""
    from stackengine.formats.write import write

    uri = session.settings.host or DEFAULT_HOST
    try:
        host = session.host(uri)
        drafts = _Drafts(session, host, language)
        for type_, id_ in _asked_for(session, host, names):
            drafts.take(type_, id_, {})
        template = Template(language, VERSIONS[language], _resources(drafts), description=f"Made of what runs on {uri}.")
    except HostError as error:
        raise ServiceError(f"the host {uri}: {error}", hint=error.hint or f"stack-run hosts doctor {uri}") from error
    if not template.resources:
        raise ServiceError(f"{uri} runs nothing that is nobody's", hint="name what to write: import --write-template NAME", exit_code=2)
    diagnostics = Diagnostics()
    text = write(template, diagnostics)
    imports = tuple((logical, draft.id) for logical, draft in drafts.found.values() if not draft.unsaid)
    external = tuple((logical, draft.id, "; ".join(draft.unsaid)) for logical, draft in drafts.found.values() if draft.unsaid)
    return Written(uri, language, text, imports, external)


def _asked_for(session: Session, host: Host, names: Sequence[str]) -> list[tuple[str, str]]:
    types = session.registry.types
    if not names:
        return [(t, i) for t, info in types.items() for i in info.handler.unowned(host)]
    return [(_type_of(session, host, name), name) for name in names]


def _type_of(session: Session, host: Host, name: str) -> str:
    for type_, info in session.registry.types.items():
        try:
            if info.handler.draft(host, name, {}) is not None:
                return type_
        except NotFoundError:
            continue
    hint = "name it as virsh does; a volume by its name in the pool"
    raise NotThereError(f"there is no domain, network or volume {name} on {host.uri}", hint=hint)


def _resources(drafts: _Drafts) -> dict[str, Resource]:
    made = {}
    for (type_, id_), (logical, draft) in list(drafts.found.items()):
        if draft.unsaid:
            pool = {k: v for k, v in draft.properties.items() if k == "pool"}
            properties = drafts.expr(pool)
            assert isinstance(properties, Map)
            made[logical] = Resource(logical, type_, properties, external_id=Literal(id_), description="; ".join(draft.unsaid))
            continue
        properties = drafts.expr(dict(draft.properties))
        assert isinstance(properties, Map)
        made[logical] = Resource(logical, type_, properties)
    return made
