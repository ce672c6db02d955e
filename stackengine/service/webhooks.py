"""Tells others of what happens: events are posted in order, at least once, and what was not taken is tried again from the same event."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from stackengine.events import Event
from stackengine.service import prepare
from stackengine.service.news import News
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, ServiceError, Settings
from stackengine.store.store import StackRow
from stackengine.store.webhooks import WebhookRow

POLL, TIMEOUT, LAST = 0.3, 10.0, 5.0
"""Seconds: between two looks at the log, for one delivery, and for what is left when an operation has ended."""
BACK_OFF = (0.5, 30.0)
"""Seconds to wait after a first failure, and at most."""
BATCH = 200

log = logging.getLogger("stackengine.webhooks")


def add(session: Session, name: str, url: str, kinds: list[str], *, since: int | None = None) -> WebhookRow:
    """Tell ``url`` of what happens to a stack from now on, or after event number ``since``."""
    row = prepare.find_stack(session, name)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ServiceError(f"{url} is no address for a webhook", hint="http://… or https://…", exit_code=2)
    return session.store.webhooks.add(row.id, url, kinds, row.last_seq if since is None else since)


def deliver(session: Session, row: StackRow) -> list[tuple[WebhookRow, str]]:
    """Post everything that is due to every webhook of a stack, once; those that failed, with the reason."""
    failed = []
    for hook in session.store.webhooks.of(row.id):
        error = _deliver_one(session, row, hook)
        if error:
            session.store.webhooks.failed(hook.id, error)
            failed.append((hook, error))
    return failed


def _deliver_one(session: Session, row: StackRow, hook: WebhookRow) -> str:
    cursor = hook.cursor
    while found := session.store.events(row.id, cursor, BATCH):
        wanted = [e for e in found if not hook.kinds or any(e.kind.startswith(k) for k in hook.kinds)]
        if wanted and (error := _post(hook.url, row.name, wanted)):
            return error
        session.store.webhooks.taken(hook.id, cursor, found[-1].seq)
        cursor = found[-1].seq
    return ""


def _post(url: str, stack: str, events: list[Event]) -> str:
    """What went wrong, or nothing."""
    body = json.dumps({"format_version": 1, "kind": "events", "stack": stack, "events": [_plain(e) for e in events]}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", "User-Agent": "stackengine"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}"
    except OSError as error:
        return str(getattr(error, "reason", error))


def _plain(event: Event) -> dict[str, Any]:
    """An event without the whole instance: what happened, not what everything looks like."""
    data = asdict(event)
    data["payload"] = {k: v for k, v in event.payload.items() if k != "instance"}
    return data


class Telling:
    """Delivers in a thread of its own while it is entered, so that an operation waits for nobody; at the end what is left gets a few seconds."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Telling:
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(LAST)

    def _run(self) -> None:
        with Session(self._settings) as session:
            self._loop(session, News(lambda text: log.warning("webhooks of %s: %s", self._name, text)))

    def _loop(self, session: Session, news: News) -> None:
        """Until all is told and the operation is over, or ``LAST`` seconds after that. A store that cannot be read is tried again."""
        pause, end = BACK_OFF[0], float("inf")
        row: StackRow | None = None
        while True:
            last = self._over.is_set()
            end = min(end, time.monotonic() + LAST) if last else end
            try:
                row = row or session.store.stack(self._name)
                if row is None or not session.store.webhooks.of(row.id):
                    return
                failed = bool(deliver(session, row))
                news.fine()
            except REFUSALS as error:
                failed = True
                news.trouble(str(error))
            if (last and not failed) or time.monotonic() > end:
                return
            pause = min(pause * 2, BACK_OFF[1]) if failed else BACK_OFF[0]
            self._over.wait(pause if failed else POLL)
            if self._over.is_set() and failed:
                time.sleep(min(pause, 0.5))
