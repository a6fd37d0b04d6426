"""What a GPU driver refuses, by the names that NVIDIA's management library (NVML) gives.

Both drivers raise these. `error_of` finds the class for a number or a name of the library.
"""

from __future__ import annotations

from typing import ClassVar

from podium.domain.errors import PodiumError


class DriverError(PodiumError):
    """A driver's refusal. `name` and `value` are NVML's; `temporary` says whether the same call may
    succeed later without anybody changing the machine."""

    code = "driver"
    name: ClassVar[str] = "NVML_ERROR_UNKNOWN"
    value: ClassVar[int] = 999
    temporary: ClassVar[bool] = False
    words: ClassVar[str] = "The driver failed and does not say why."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.words)


class UninitializedError(DriverError):
    name, value = "NVML_ERROR_UNINITIALIZED", 1
    words = "The driver has not been opened."


class InvalidArgumentError(DriverError):
    name, value = "NVML_ERROR_INVALID_ARGUMENT", 2
    words = "The driver knows no such GPU, profile or start."


class NotSupportedError(DriverError):
    name, value = "NVML_ERROR_NOT_SUPPORTED", 3
    words = "This GPU cannot do that, or not in the mode it is in."


class NoPermissionError(DriverError):
    name, value = "NVML_ERROR_NO_PERMISSION", 4
    words = "The driver allows that only to root."


class MissingError(DriverError):
    name, value = "NVML_ERROR_NOT_FOUND", 6
    words = "The driver finds nothing of that name."


class DriverNotLoadedError(DriverError):
    name, value = "NVML_ERROR_DRIVER_NOT_LOADED", 9
    words = "NVIDIA's driver is not loaded on this machine."


class DriverTimeoutError(DriverError):
    name, value, temporary = "NVML_ERROR_TIMEOUT", 10, True
    words = "The driver took too long to answer."


class LibraryNotFoundError(DriverError):
    name, value = "NVML_ERROR_LIBRARY_NOT_FOUND", 12
    words = "NVIDIA's management library is not on this machine."


class FunctionNotFoundError(DriverError):
    name, value = "NVML_ERROR_FUNCTION_NOT_FOUND", 13
    words = "The installed driver is too old to do that."


class GpuLostError(DriverError):
    name, value = "NVML_ERROR_GPU_IS_LOST", 15
    words = "The GPU has fallen off the bus. The machine must be restarted."


class ResetRequiredError(DriverError):
    name, value = "NVML_ERROR_RESET_REQUIRED", 16
    words = "The GPU must be reset first."


class OperatingSystemError(DriverError):
    name, value = "NVML_ERROR_OPERATING_SYSTEM", 17
    words = "The operating system did not let the driver do that."


class VersionMismatchError(DriverError):
    name, value = "NVML_ERROR_LIB_RM_VERSION_MISMATCH", 18
    words = "Driver and library are of different versions, as after an update. Restart the machine."


class InUseError(DriverError):
    name, value, temporary = "NVML_ERROR_IN_USE", 19, True
    words = "It is in use."


class DriverMemoryError(DriverError):
    name, value, temporary = "NVML_ERROR_MEMORY", 20, True
    words = "The machine has too little memory for that."


class InsufficientResourcesError(DriverError):
    """What stands on the GPU leaves no room at that start; it may go away."""

    name, value, temporary = "NVML_ERROR_INSUFFICIENT_RESOURCES", 23, True
    words = "The GPU has no room for that."


class NotReadyError(DriverError):
    name, value, temporary = "NVML_ERROR_NOT_READY", 27, True
    words = "The GPU is not ready yet."


class GpuNotFoundError(DriverError):
    name, value = "NVML_ERROR_GPU_NOT_FOUND", 28
    words = "There is no GPU on this machine."


class InvalidStateError(DriverError):
    name, value, temporary = "NVML_ERROR_INVALID_STATE", 29, True
    words = "The GPU is in a state that does not allow that."


_KINDS: tuple[type[DriverError], ...] = (
    DriverError,
    UninitializedError,
    InvalidArgumentError,
    NotSupportedError,
    NoPermissionError,
    MissingError,
    DriverNotLoadedError,
    DriverTimeoutError,
    LibraryNotFoundError,
    FunctionNotFoundError,
    GpuLostError,
    ResetRequiredError,
    OperatingSystemError,
    VersionMismatchError,
    InUseError,
    DriverMemoryError,
    InsufficientResourcesError,
    NotReadyError,
    GpuNotFoundError,
    InvalidStateError,
)
_BY_VALUE = {kind.value: kind for kind in _KINDS}
_BY_NAME = {kind.name: kind for kind in _KINDS}


def error_of(which: int | str, message: str = "") -> DriverError:
    """The error of this number or name; of one that is not listed, the unknown one, which then
    tells the number."""
    kind = _BY_VALUE.get(which) if isinstance(which, int) else _BY_NAME.get(which)
    if kind is None:
        return DriverError(message or f"{DriverError.words} (NVML error {which})")
    return kind(message)
