"""``python -m tools.xen build|up|down|reset|uri``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tools.xen import host as hosts
from tools.xen import image


def main() -> int:
    """Do what the word says."""
    word = sys.argv[1] if len(sys.argv) > 1 else "up"
    problem = hosts.lacking()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    start = time.monotonic()
    if word == "build":
        print(image.build(hosts.cache_folder()))
    else:
        host = hosts.prepared()
        acts: dict[str, Callable[[], object]] = {"up": host.up, "down": host.down, "reset": host.reset, "uri": lambda: None}
        if word not in acts:
            print(__doc__, file=sys.stderr)
            return 2
        acts[word]()
        print(host.uri)
    print(f"{word}: {time.monotonic() - start:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
