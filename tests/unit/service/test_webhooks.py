"""Events are posted in order, at least once; what was not taken is tried again from the same event."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from unit.service.house import House, run

NONE = "nothing: {type: OS::Heat::None}\n"


class Ear:
    """A small server that takes what is posted, or refuses it."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refuse = 0
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if ear.refuse:
                    ear.refuse -= 1
                    self.send_error(503)
                    return
                ear.heard.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def numbers(self) -> list[int]:
        return [e["seq"] for post in self.heard for e in post["events"]]


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_an_operation_is_told_in_order_and_without_secrets_or_instances(house: House, ear: Ear, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    hook = run(house, capsys, "webhook", "add", "shop", ear.url)[0]["webhooks"][0]
    template = house.write(NONE + "other: {type: OS::Heat::None}\n")
    run(house, capsys, "up", str(template), "--name", "shop", "--host", "memory://", "--yes")
    kinds = [e["kind"] for post in ear.heard for e in post["events"]]
    assert (kinds[0], kinds[-1]) == ("operation.started", "operation.finished")
    assert ear.numbers() == list(range(hook["cursor"] + 1, hook["cursor"] + 1 + len(kinds)))
    assert all("instance" not in e["payload"] for post in ear.heard for e in post["events"])


def test_what_was_refused_is_delivered_later_from_the_same_event(house: House, ear: Ear, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    run(house, capsys, "webhook", "add", "shop", ear.url, "--since", "0", "--only", "operation.")
    ear.refuse = 1
    found = run(house, capsys, "webhook", "deliver", "shop", code=1)[0]["webhooks"][0]
    assert (found["failures"], found["cursor"], found["last_error"]) == (1, 0, "it answered 503")
    found = run(house, capsys, "webhook", "deliver", "shop")[0]["webhooks"][0]
    assert found["failures"] == 0
    assert [e["kind"] for e in ear.heard[0]["events"]] == ["operation.started", "operation.finished"]
    run(house, capsys, "webhook", "deliver", "shop")
    assert len(ear.heard) == 1
    run(house, capsys, "webhook", "rm", found["id"])
    assert run(house, capsys, "webhook", "ls", "shop")[0]["webhooks"] == []


def test_a_wrong_address_is_wrong_use_and_a_dead_one_holds_nobody_up(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.up(NONE)
    run(house, capsys, "webhook", "add", "shop", "file:///etc/passwd", code=2)
    run(house, capsys, "webhook", "rm", "nobody", code=2)
    run(house, capsys, "webhook", "add", "shop", "http://127.0.0.1:1/", "--since", "0")
    assert "refused" in run(house, capsys, "webhook", "deliver", "shop", code=1)[0]["webhooks"][0]["last_error"]
