"""Plays the sample operation on whatever terminal it is given; run by the test of the live view."""

from __future__ import annotations

import dataclasses
import sys
import time

from stackengine.cli.telling import conclude
from stackengine.cli.terminal import Terminal
from stackengine.cli.views import open_view
from unit.cli import cli_samples as samples

SPEED = float(sys.argv[1])


def main() -> None:
    terminal = Terminal(plain="--plain" in sys.argv)
    preview = samples.preview()
    began, clock = time.time(), 0.0
    with open_view(terminal, "lamp", preview.plan) as view:
        for event in samples.history():
            moment = event.at - 1_700_000_000
            time.sleep((moment - clock) / SPEED)
            clock = moment
            view.take(dataclasses.replace(event, at=began + moment / SPEED))
    conclude("lamp", samples.result(status="rolled_back", failures=(samples.FAILURE,)), view, preview, terminal)


main()
