"""What the exit codes of ``stack-run`` mean; stable."""

from collections.abc import Sequence

OK = 0
FAILED = 1
"""Also: a remote cannot be reached, the store cannot be used, what was to begin (``--detach``) or to end (``wait --timeout``) in time did not."""
USAGE = 2
"""Wrong use, also: what is named (a stack, a resource, a host …) is not there, or a confirmation is needed and there is no terminal (say ``--yes``)."""
INVALID = 3
"""The template or its parameters are invalid."""
CHANGES = 4
"""``plan --exit-code``: there are changes; ``drift``: there is some; ``fmt --check``: a file is laid out otherwise."""
PASSED_THROUGH = 125
"""``ssh`` and ``exec`` with ``-- CMD``, and ``env run``: our own failure, where every other code is CMD's."""
INTERRUPTED = 130


def of_own_failure(words: Sequence[str]) -> int:
    """The exit code of a command line that went wrong before its arguments were known: ``PASSED_THROUGH`` for ``env run``, else ``FAILED``."""
    before = words[: words.index("run")] if "run" in words else ()
    return PASSED_THROUGH if "env" in before else FAILED
