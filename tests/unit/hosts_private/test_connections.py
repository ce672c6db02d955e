"""A call that never returns holds up nothing else; a host that went away is waited for; what may pass is tried again, and nothing else is."""

from __future__ import annotations

import threading
import time

import pytest

from stackengine.sdk import Gate, RefusedError, TransientError, UnreachableError

libvirt = pytest.importorskip("libvirt")

from stackengine.hosts import retrying  # noqa: E402
from stackengine.hosts.gates import GateWatcher  # noqa: E402
from stackengine.hosts.libvirt import connections  # noqa: E402
from stackengine.hosts.libvirt.errors import translate  # noqa: E402
from stackengine.hosts.memory import MemoryHost  # noqa: E402


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> connections.Connections:
    monkeypatch.setattr(connections, "CALL_SECONDS", 0.3)
    monkeypatch.setattr(retrying, "wait_random_exponential", lambda *_, **__: lambda _state: 0.01)
    return connections.Connections("test", "test:///default")


def test_a_call_that_hangs_is_given_up_and_others_go_on(pool: connections.Connections) -> None:
    forever, calls = threading.Event(), []

    def hang(_connection: object) -> None:
        calls.append(1)
        forever.wait(5)

    started = time.monotonic()
    given_up = []

    def call() -> None:
        with pytest.raises(UnreachableError):
            pool.call("virHang", hang)
        given_up.append(1)

    hanging = threading.Thread(target=call)
    hanging.start()
    assert pool.call("virConnectGetHostname", lambda c: c.getHostname())
    hanging.join(5)
    assert time.monotonic() - started < 3
    assert (len(calls), given_up) == (1, [1])
    forever.set()


def test_a_host_that_went_away_is_waited_for(pool: connections.Connections) -> None:
    pool.call("first", lambda c: c.getHostname())
    tries = []

    def flaky(connection: object) -> int:
        tries.append(connection)
        if len(tries) < 3:
            raise UnreachableError("client socket is closed")
        return len(tries)

    assert pool.call("virDomainCreate", flaky) == 3
    assert tries[0] is not tries[-1]


def test_a_host_that_was_never_reached_is_said_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(UnreachableError, match=r"."):
        connections.Connections("nowhere", "qemu+unix:///system?socket=/nonexistent/sock").call("x", lambda c: c)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("error", "tries"), [(TransientError("locked", code=68), retrying.ATTEMPTS), (RefusedError("no", code=1), 1)])
def test_only_what_may_pass_is_tried_again(pool: connections.Connections, error: Exception, tries: int) -> None:
    seen = []

    def fail(_connection: object) -> None:
        seen.append(1)
        raise error

    with pytest.raises(type(error)):
        pool.call("virDomainCreate", fail)
    assert len(seen) == tries


def test_a_host_that_hangs_holds_up_only_its_own_gates() -> None:
    class Slow(MemoryHost):
        simulated = False

        def domain_info(self, uuid: str) -> None:
            time.sleep(1.5)

    watcher, came = GateWatcher(), threading.Event()
    watcher.watch("slow", Gate("running", 60, "u"), Slow("slow"), lambda _result: None)
    watcher.watch("quick", Gate("running", 60, "u"), MemoryHost("quick"), lambda _result: came.set())
    assert came.wait(1.0)
    watcher.close()


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("internal error: libxl_domain_info failed for domain '5'", TransientError),  # it is being let go of
        ("internal error: libxenlight failed to create new domain 'x'", RefusedError),
        ("Timed out during operation: cannot acquire state change lock", TransientError),
    ],
)
def test_what_will_be_over_in_a_moment_is_tried_again(message: str, kind: type[Exception]) -> None:
    error = libvirt.libvirtError("it said")
    error.err = (1, 0, message)
    assert type(translate(error, "xen:///system", "virDomainLookupByUUIDString")) is kind
