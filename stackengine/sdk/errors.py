"""What a host or a resource may fail with."""

from __future__ import annotations


class HostError(Exception):
    """A host call failed. ``code`` is libvirt's error number (virErrorNumber) or 0; ``call`` is the libvirt call."""

    def __init__(self, message: str, *, code: int = 0, host: str = "", call: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code, self.host, self.call, self.hint = code, host, call, hint


class NotFoundError(HostError):
    """The object is not there (only NO_DOMAIN, NO_NETWORK, NO_STORAGE_POOL, NO_STORAGE_VOL, NO_NWFILTER… say so)."""


class ExistsError(HostError):
    """The name, UUID or path is taken by something else."""


class RefusedError(HostError):
    """The host understood and refuses: invalid, in use, wrong state, no room."""

    prop = ""
    """The property that it is about, where that is known."""

    def about(self, prop: str) -> RefusedError:
        """Itself, with its property."""
        self.prop = prop
        return self


EXISTING = "make it in the template; one that is on the host already is used by a resource with external_id: its name"
"""What to do where a reference means something that is not of the stack."""


class UnsupportedError(HostError):
    """The driver cannot do this."""


class TransientError(HostError):
    """It may work when tried again (timeout, lock not acquired, connection reset)."""


class UnreachableError(HostError):
    """The host does not answer."""


class AgentError(HostError):
    """The guest agent does not answer (yet)."""


class UntranslatableError(ValueError):
    """What a template says in another language's words has no native form; ``prop`` as of ``Inert``, so that it is told where it stands."""

    def __init__(self, message: str, prop: str) -> None:
        super().__init__(message)
        self.prop = prop


class FailedError(Exception):
    """The resource itself failed (a signal said FAILURE, a gate timed out); ``tail`` is what to show with it."""

    def __init__(self, message: str, *, tail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.tail, self.hint = tail, hint


LET_GO = "stack-run forget STACK PATH lets go of it, where it is one of this store's"
"""What to do where an object that is to be taken over belongs to somebody."""
NAME_IT = "name a resource of this stack: get_resource, Ref or a requirement; what others own is used by external_id"
"""What to do where a property names something that the stack does not have."""


class Cancelled(Exception):
    """The operation was cancelled or its lease was lost: stop at once, start no further host call."""
