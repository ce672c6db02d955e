"""A world of guests: templates and built-in resource types on a memory host, with seeded hands; what must hold is checked after every commit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from histories.hands import Crew, SeededHands
from histories.memory_store import MemoryStore
from histories.world import World
from stackengine import registry
from stackengine.evaluate import evaluate, seal
from stackengine.events import Event
from stackengine.hosts.memory import MemoryHost
from stackengine.hosts.memory.faults import Faults
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.model.instance import Recorded
from stackengine.sdk import HostError
from stackengine.service import prepare
from stackengine.service.signals import SignalHub
from stackengine.service.sources import read_template
from stackengine.service.types import Preview, Request
from stackengine.store.store import RevisionRow, StackRow
from stackengine.testing.bench import sample_source
from stackengine.testing.inventory import inventory


@cache
def types() -> registry.Registry:
    return registry.load(entry_points=False)


class GuestHands(SeededHands):
    """Signals of simulated guests come in between two turns of the walk."""

    def __init__(self, crew: Crew, begun: Callable[[Any], None], host: MemoryHost) -> None:
        super().__init__(crew, begun)
        self._host = host

    @contextmanager
    def signals(self, host: Any, plan: Any, recorded: Any, deliver: Any, others: Any = ()) -> Iterator[Any]:
        self._begun(plan)
        hub, seen = SignalHub(host, plan, recorded, deliver, others), 0

        def hear() -> None:
            nonlocal seen
            found = self._host.simulated_signals(seen)
            seen += len(found)
            hub.hear(found)

        self._crew.turn = hear
        yield hub
        self._crew.turn = lambda: None


class GuestWorld(World):
    """One stack of guests."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed, store="memory")
        self.guests = MemoryHost(f"guests-{seed}", None, Faults(before=self._before_call, after=self._after_call))
        self.host.uri = self.guests.uri
        row = StackRow("0" * 20, self.name, b"guests" * 6, self.guests.uri, 0, 0, "none", "", "hot", 0, 0, True)
        self.store.fresh = lambda name, host, language: replace(row, name=name, host=host)  # the same identities in every fork

    def _before_call(self, call: str, _number: int) -> None:
        self._at("before", call)

    def _after_call(self, call: str, _number: int) -> None:
        self._at("after", call)

    def _at(self, side: str, call: str) -> None:
        try:
            self.crew.point(side, call, self.crew.current.key if self.crew.current is not None else "plan")
        except HostError:
            if self.crew.current is not None:  # a host that fails while a plan is made is no part of these histories
                raise

    def session(self) -> Any:
        found = super().session()
        found._hands = GuestHands(self.crew, self._walk_begins, self.guests)
        found.__dict__["registry"] = types()
        found.__dict__["images"] = SimpleNamespace(
            open_source=lambda url, sha256, _check: sample_source(url, sha256), lookup=lambda _name: SimpleNamespace(fetched=False)
        )
        found._hosts[self.guests.uri] = self.guests
        return found

    def of_template(self, template: Path, parameters: dict[str, Any]) -> Preview:
        """The preview of ``up``."""
        session, store, diagnostics = self.session(), self.store, Diagnostics()
        known = store.stack(self.name)
        row = known or store.fresh(self.name, self.guests.uri, "hot")
        found = evaluate(read_template(template, diagnostics), parameters, types(), stack_name=row.name, stack_id=row.id, diagnostics=diagnostics)
        if found is None:
            raise InvalidTemplateError(diagnostics)
        vault = store.vault(row.id)
        desired, number = prepare.sealed(found.desired, vault), store.next_revision(row.id) if known else 1
        request = Request(self.name, template)
        kind: Any = "update" if known and known.revision else "create"
        recorded = store.recorded(row.id) if known else Recorded()
        aim = prepare.request_options(request, recorded)
        preview = prepare.plan_to(session, row, vault, desired, recorded, kind, number, Diagnostics(), aim=aim)
        revision = RevisionRow(number, desired, "hot", parameters=seal(found.parameters, vault))
        return replace(preview, request=request, new_stack=known is None, prepared=prepare.Prepared(row, vault, revision, aim=aim))

    def bring(self, template: Path, parameters: dict[str, Any], **options: Any) -> Any:
        from stackengine.service import operations

        preview = self.of_template(template, parameters)
        return self._run(lambda: operations.carry_out(self.session(), preview, watch=self._take, **options))

    def fork(self) -> GuestWorld:
        """Another world that is as this one is now; all forks go on in the same way when nothing goes wrong."""
        assert isinstance(self.store, MemoryStore)
        other = GuestWorld(11)
        other.name, other.stack_id, chance = self.name, self.stack_id, other.store.chance
        other.guests._file._state = copy.deepcopy(self.guests._file._state)
        other.guests.name, other.guests.uri, other.host.uri = self.guests.name, self.guests.uri, self.guests.uri
        vars(other.store).update({k: copy.deepcopy(v) for k, v in vars(self.store).items() if k not in ("chance", "fresh")})
        other.store.chance = chance
        quiet = self.chance.quiet
        other._quietly = True
        other._catch_up()
        other._quietly = False
        other.chance.quiet = quiet
        return other

    _quietly = False

    # what must hold

    def _take(self, event: Event) -> None:
        if self._quietly:  # an old event of a forked world: the plan that it belongs to is not known here
            from stackengine.engine import journal as fold

            self.seen = event.seq
            self.events.append(event)
            fold.apply(self.log, event)
            return
        super()._take(event)
        self._nothing_unknown()

    def _nothing_unknown(self) -> None:
        """Every domain, network and volume on the host is one of a recorded instance (what the host itself owns apart)."""
        state = self.guests._file._state
        known = {str(i.identity.get("uuid")) for i in self.log.instances.values()}
        names = [str(n) for i in self.log.instances.values() for n in (i.identity.get("name"), i.identity.get("volume_name")) if n]
        for kind in ("domains", "networks"):
            assert set(state[kind]) <= known, f"{kind} on the host that are not in the journal: {set(state[kind]) - known}"
        for volume in state["pools"]["default"]["volumes"]:
            assert any(volume.startswith(n) for n in names), f"the volume {volume} is not in the journal"

    def _after(self, result: Any) -> None:
        for failure in [*result.failures, *result.rollback_failures]:
            assert "on purpose" in failure.message or "a signal said" in failure.message, f"the host refused: {failure}"
        self.check_records()
        if result.status == "complete" and result.kind == "delete":
            assert self.objects() == {"domains": set(), "networks": set(), "volumes": set()}, self.objects()
            self.check_gone()

    def objects(self) -> dict[str, set[str]]:
        """What is on the host, by kind and id."""
        state = self.guests._file._state
        return {"domains": set(state["domains"]), "networks": set(state["networks"]), "volumes": set(state["pools"]["default"]["volumes"])}

    def inventory(self) -> dict[str, Any]:
        """Everything that can be compared, but for signals and what the host owns itself."""
        return {k: v for k, v in inventory(self.guests).items() if k != "ports"}
