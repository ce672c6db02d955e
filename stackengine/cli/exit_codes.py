"""What the exit codes of ``stack-run`` mean; stable."""

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
