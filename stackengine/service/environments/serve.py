"""``env serve``: the reaper again and again, for those who have neither cron nor systemd."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.sdk import HostError
from stackengine.service.environments import dns
from stackengine.service.environments.reap import Reaped, reap
from stackengine.service.news import News
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, Settings


def serve(settings: Settings, every: float, tell: Callable[[Reaped], None], failed: Callable[[str], None], zone_at: str = "") -> None:
    """Reap every so many seconds until SIGTERM or SIGINT; each round opens what it needs anew, and one that fails does not end the others.

    ``failed`` gets why one did, once while it stays the same.

    ``zone_at``: also answer for the DNS zone of published names there (``ADDRESS:PORT``).
    """
    with _until_told() as over, dns.serving(settings, zone_at, failed) if zone_at else nullcontext():
        news = News(failed)
        while True:
            try:
                with Session(settings) as session:
                    for item in reap(session):
                        if item.done or item.problem:
                            tell(item)
                        if over.is_set():
                            return
            except (*REFUSALS, HostError, InvalidTemplateError, OSError) as error:
                news.trouble(str(error))
            else:
                news.fine()
            if over.wait(every):
                return


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    over = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
