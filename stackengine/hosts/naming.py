"""What names of hosts that this engine keeps may be: they name files and folders, too."""

from __future__ import annotations

import re

HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
