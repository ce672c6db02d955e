"""Settings, and where each was said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stackengine.cli.project import Setting
from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table


def listing(settings: Sequence[Setting], style: Style = PLAIN) -> str:
    """One line each."""
    return table(["setting", "value", "from"], [[s.key, _text(s.value), s.source] for s in settings], style)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, Path) else json.dumps(value, default=str)


def data(setting: Setting) -> dict[str, Any]:
    """The same as JSON; files as text."""
    value = str(setting.value) if isinstance(setting.value, Path) else setting.value
    return {"setting": setting.key, "value": value, "from": setting.source}
