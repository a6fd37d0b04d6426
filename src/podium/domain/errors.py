"""What can go wrong, in three families; every room raises these, `api/problems.py` maps them.

The family says what the reader should do: change something (`UserError`), wait and try again
(`TemporaryError`), or give up (`PermanentError`).
"""

from __future__ import annotations

from dataclasses import dataclass


class PodiumError(Exception):
    """Base of every error that Podium raises on purpose. `code` is stable and machine-readable."""

    code = "internal"
    # What was refused to whom, where that is what happened; the audit trail is told of it.
    refused_action = ""
    refused_project: str | None = None
    refused_actor = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: where (`resources.gpus`), what is wrong, and what would be right."""

    field: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        words = f"{self.field}: {self.message}" if self.field else self.message
        return f"{words} {self.remedy}".rstrip()


class UserError(PodiumError):
    """The request is wrong and stays wrong until the sender changes the named fields."""

    code = "invalid"

    def __init__(self, *faults: FieldFault, message: str = "") -> None:
        super().__init__(message or "; ".join(str(fault) for fault in faults))
        self.faults = faults


class NotFoundError(PodiumError):
    """Nothing of that name that this person may see."""

    code = "not_found"


class ConflictError(PodiumError):
    """The thing exists already, or its state does not allow the request."""

    code = "conflict"


class ForbiddenError(PodiumError):
    """Known to this person, but not allowed to them."""

    code = "forbidden"


class PasswordChangeError(ForbiddenError):
    """Signed in with a one-time password, which is good for setting one's own and nothing else."""

    code = "password_change_required"


class UnauthenticatedError(PodiumError):
    """No valid credential came with the request."""

    code = "unauthenticated"


class DeviceFlowError(PodiumError):
    """Why a command line is not let in (yet); the codes are those of RFC 8628."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TooLargeError(PodiumError):
    """A body, file or list is above its limit, which the message names."""

    code = "too_large"


class TemporaryError(PodiumError):
    """Trying again after `retry_after_seconds` may succeed without any change."""

    code = "temporary"

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BusyError(TemporaryError):
    """Too many ask for something costly at once."""

    code = "busy"


class LeaseLostError(TemporaryError):
    """Another server took over this loop; whatever was in hand must not be written."""

    code = "lease_lost"


class PermanentError(PodiumError):
    """Trying again cannot help."""

    code = "permanent"
