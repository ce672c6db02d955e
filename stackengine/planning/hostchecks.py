"""What the host would refuse or silently ignore later is said in the plan, at the property's place."""

from __future__ import annotations

from dataclasses import replace

from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.planning.choice import Choice
from stackengine.planning.ground import Ground
from stackengine.sdk import Demand


def check_host(choices: dict[str, Choice], ground: Ground, diagnostics: Diagnostics) -> None:
    """Refusals of the driver profile, missing pools, and capacity, host by host."""
    by_host: dict[str, list[Choice]] = {}
    for choice in choices.values():
        if choice.kind not in ("keep", "read"):
            by_host.setdefault(choice.instance.host, []).append(choice)
    for host, changing in by_host.items():
        _check(changing, ground.on(host), diagnostics)


def _check(changing: list[Choice], ground: Ground, diagnostics: Diagnostics) -> None:
    memory = 0
    disk: dict[str, int] = {}
    told: dict[tuple[str, str], int] = {}
    for choice in changing:
        want = choice.instance.properties
        for refusal in choice.info.handler.refuse({**want, **choice.instance.contributed}, ground.profile):
            place = f"{choice.resource.path}.{refusal.prop}".rstrip(".")
            same = (refusal.prop, refusal.reason)
            if refusal.severity == "notice" and same in told:  # said of many it is one notice
                first = diagnostics.items[told[same]]
                diagnostics.items[told[same]] = replace(first, detail=f"{first.detail or 'also'} {place}")
                continue
            told[same] = len(diagnostics.items)
            diagnostics.items.append(Diagnostic("K101", f"{place}: {refusal.reason}", choice.resource.mark_of(refusal.prop), refusal.hint, refusal.severity))
        there = choice.old is not None and choice.old.sure and choice.old.host == choice.instance.host
        before = choice.info.handler.demand(choice.old.properties) if choice.old is not None and there else Demand()
        now = choice.info.handler.demand(want)
        memory += now.memory - before.memory
        if ground.memory is not None and now.memory > ground.memory:
            text = f"{choice.resource.path} needs {now.memory} MiB of memory, and all of {ground.host} is {ground.memory} MiB"
            diagnostics.error("K105", text, choice.resource.mark_of("memory"), "less memory (max_memory counts, too), or another host")
        if now.disk > before.disk:
            pool = str(want.get("pool") or "default")
            disk[pool] = disk.get(pool, 0) + now.disk - before.disk
            if ground.pools and pool not in ground.pools:
                diagnostics.error(
                    "K103", f"{choice.resource.path}: there is no storage pool {pool} on {ground.host}", choice.resource.mark_of("pool"),
                    f"known pools: {', '.join(sorted(ground.pools))}",
                )  # fmt: skip
    if ground.memory_free is not None and ground.memory_free < memory <= (ground.memory or memory):
        diagnostics.error("K102", f"the plan needs {memory} MiB more memory, and {ground.host} has {ground.memory_free} MiB free", hint="smaller servers")
    for pool, size in disk.items():
        if pool in ground.pools and size > ground.pools[pool]:
            diagnostics.warning("K104", f"pool {pool} has {ground.pools[pool] >> 20} MiB free, and the plan may grow to {size >> 20} MiB in it")

