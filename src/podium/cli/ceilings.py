"""Limits of what is no GPU, as options name and write them: `quota`, `what_if`, `explain` ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import typer

from podium.domain.quantity import format_milli, parse_bytes, parse_milli
from podium.domain.quota import Counted

CEILINGS: Mapping[str, tuple[Counted, Callable[[str], int]]] = {
    "cpus": (Counted.CPU, parse_milli),
    "memory": (Counted.MEMORY, parse_bytes),
    "mig-slices": (Counted.MIG_SLICES, int),
    "workspaces": (Counted.WORKSPACES, int),
    "storage": (Counted.STORAGE, parse_bytes),
}
"""By the name of the option: what it limits, and how its amount is read."""

_UNITS = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def ceiling_amount(option: str, text: str, given_as: str = "") -> tuple[Counted, int | None]:
    """What `--cpus 64` limits, and to how much; None: `none` takes the limit away."""
    what, read = CEILINGS[option]
    try:
        return what, None if text == "none" else read(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"'{text}' in {given_as or f'--{option}'} is not an amount, such as "
            f"{'512GiB' if read is parse_bytes else '64'} or none."
        ) from error


def ceiling_option(what: Counted, amount: int) -> tuple[str, str]:
    """`("--memory", "512GiB")`, to the byte."""
    option, read = next((name, read) for name, (each, read) in CEILINGS.items() if each is what)
    if read is parse_milli:
        return f"--{option}", format_milli(amount)
    if read is parse_bytes:
        unit, size = next((each for each in _UNITS if amount % each[1] == 0), ("B", 1))
        return f"--{option}", f"{amount // size}{unit}"
    return f"--{option}", str(amount)
