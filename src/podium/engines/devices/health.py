"""What a GPU's errors mean: which of them make it unfit for work, in words for people.

Called by `listing`, which reports such a GPU as unhealthy with these words as its fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from podium.engines.devices.contract import Health, Recovery

LOST = "It has fallen off the bus. Restart the machine."

# XIDs are the driver's numbers for errors. Listed are those after which NVIDIA's catalogue says to
# reset the GPU or restart the machine. Left out on purpose, because the GPU goes on: errors of
# programs (13, 31, 43, 45, 68, 109 and the like); 63, a bad row of memory that was put aside; 92,
# many errors that were corrected; 94, an error that ended only the program that met it; and 154,
# which repeats what `Recovery` tells.
XIDS: Mapping[int, str] = MappingProxyType(
    {
        46: "it stopped processing",
        48: "a memory error that could not be corrected",
        61: "its internal controller stopped at a warning",
        62: "its internal controller halted",
        64: "a bad row of memory could not be put aside",
        74: "an NVLink failed",
        79: "it has fallen off the bus",
        95: "a memory error that was not contained",
        110: "a security fault",
        119: "its system processor (GSP) does not answer",
        120: "its system processor (GSP) failed",
        136: "an NVLink could not be trained",
        140: "a memory error that was not recovered",
        143: "it could not be initialised",
        158: "it ran into a fatal timeout",
        167: "its PCIe link ran into a fatal timeout",
        169: "its security controller halted",
        171: "an error in its DRAM that could not be corrected",
        172: "an error in its SRAM that could not be corrected",
    }
)

_RECOVERY: Mapping[Recovery, str] = MappingProxyType(
    {
        Recovery.RESET: "The driver asks for a reset of it.",
        Recovery.DRAIN: "The driver asks for a reset of it, once its work has ended.",
        Recovery.REBOOT: "The driver asks for a restart of the machine.",
    }
)


def fault_of(health: Health) -> str:
    """Why the GPU must take no work, in a sentence or two; "" when it may."""
    if health.lost:
        return LOST
    fatal = [xid.number for xid in health.xids if xid.number in XIDS]
    if 79 in fatal:
        return f"XID 79: {XIDS[79]}. Restart the machine."
    if fatal:
        return f"XID {fatal[-1]}: {XIDS[fatal[-1]]}. Reset it."
    if health.rows_failed:
        return "Rows of its memory are bad and could not be replaced. It needs repair."
    if health.recovery is not Recovery.NONE:
        return _RECOVERY[health.recovery]
    if health.ecc_uncorrected:
        return "Its memory had errors that could not be corrected. Reset it."
    return ""
