"""Handlers of custom resources within their limits: real programs, Python functions and a real service."""

from __future__ import annotations

import http.server
import os
import stat
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resource_types.custom_resource.calls import call
from stackengine import sdk
from stackengine.model.allowed import Allowed


class Asked:
    """What a handler's call is given."""

    stack_id, stack, path, generation = "s-1", "shop", "made", 1

    def __init__(self, **allowed: tuple[str, ...]) -> None:
        self.allowed, self.checks = Allowed(**allowed), 0

    def check(self) -> None:
        self.checks += 1


def called(asked: Any, handler: str, timeout: float = 20) -> dict[str, Any]:
    want = {"handler": handler, "timeout": timeout, "properties": {"size": "x" * 300_000}, "type": "Custom::Thing"}
    return dict(call(asked, want, "Create", None, None))


@pytest.fixture
def program(tmp_path: Path) -> Any:
    def make(text: str) -> str:
        file = tmp_path / "make"
        file.write_text("#!/bin/sh\n" + textwrap.dedent(text))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    return make


def gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_program_that_is_over_its_time_leaves_nothing_running(tmp_path: Path, program: Any) -> None:
    made = program(f"sleep 600 & echo $! >{tmp_path}/child; wait")
    begun = time.monotonic()
    with pytest.raises(sdk.FailedError, match=r"no answer within 0\.5 s") as failed:
        called(Asked(commands=(made,)), made, 0.5)
    assert time.monotonic() - begun < 10
    assert "ServiceTimeout" in failed.value.hint
    assert gone(int((tmp_path / "child").read_text()))


def test_one_that_nobody_waits_for_any_more_is_killed_too(tmp_path: Path, program: Any) -> None:
    class Ends(Asked):
        def check(self) -> None:
            if (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip():
                raise sdk.Cancelled("stop")

    made = program(f"sleep 600 & echo $! >{tmp_path}/child; wait")
    with pytest.raises(sdk.Cancelled):
        called(Ends(commands=(made,)), made, 60)
    assert gone(int((tmp_path / "child").read_text()))


def test_an_answer_without_end_is_cut_off(tmp_path: Path, program: Any) -> None:
    made = program(f"echo $$ >{tmp_path}/pid; cat >/dev/null; exec cat /dev/zero")
    with pytest.raises(sdk.FailedError, match="it answered more than 1024 KiB"):
        called(Asked(commands=(made,)), made)
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_it_says_on_its_standard_error_is_kept_at_its_end(program: Any) -> None:
    made = program("head -c 5000000 /dev/zero | tr '\\0' x >&2; echo the reason >&2; exit 3")
    with pytest.raises(sdk.FailedError, match=r"(?s)exit code 3: .*the reason$"):
        called(Asked(commands=(made,)), made)


def test_a_program_that_reads_nothing_and_one_that_reads_all_answer(program: Any) -> None:
    made = program("""echo '{"PhysicalResourceId": "p"}'""")
    assert called(Asked(commands=(made,)), made) == {"PhysicalResourceId": "p"}
    made = program("""printf '{"Data": {"bytes": %s}}' $(wc -c)""")
    assert called(Asked(commands=(made,)), made)["Data"]["bytes"] > 300_000


def test_a_python_function_answers_and_is_ended_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "handlers_of_ours.py").write_text(textwrap.dedent("""
        import os, sys, time
        def good(event, context):
            print("said by the way")
            return {"PhysicalResourceId": event["RequestType"], "Data": {"pid": os.getpid()}}
        def bad(event, context):
            raise KeyError("nothing there")
        def slow(event, context):
            open(sys.path[0] + "/pid", "w").write(str(os.getpid()))
            time.sleep(600)
        def large(event, context):
            return {"Data": {"x": "y" * 2_000_000}}
    """))
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ("good", "bad", "slow", "large")
    asked = Asked(python=tuple(f"handlers_of_ours:{n}" for n in names))
    answer = called(asked, "handlers_of_ours:good")
    assert answer["PhysicalResourceId"] == "Create"
    assert answer["Data"]["pid"] != os.getpid()
    with pytest.raises(sdk.FailedError, match="KeyError: 'nothing there'") as failed:
        called(asked, "handlers_of_ours:bad")
    assert "the handler raised it" in failed.value.hint
    with pytest.raises(sdk.FailedError, match="it answered more than"):
        called(asked, "handlers_of_ours:large")
    with pytest.raises(sdk.FailedError, match="no answer within 3 s"):
        called(asked, "handlers_of_ours:slow", 3)
    assert gone(int((tmp_path / "pid").read_text()))
    with pytest.raises(sdk.RefusedError, match="may not be called"):
        called(asked, "os:system")


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers a byte now and then, or without end."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" " * (100_000 if self.path == "/large" else 1))
                time.sleep(0 if self.path == "/large" else 0.05)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_service_is_waited_for_so_long_and_no_longer(service: str) -> None:
    asked, begun = Asked(urls=(service,)), time.monotonic()
    with pytest.raises(sdk.FailedError, match=r"no answer within 0\.5 s"):
        called(asked, f"{service}/slow", 0.5)
    assert time.monotonic() - begun < 5
    assert asked.checks > 1
    with pytest.raises(sdk.FailedError, match="it answered more than 1024 KiB"):
        called(asked, f"{service}/large")
