"""A secret of a project, as work asks for it. Values are never here."""

from __future__ import annotations

from dataclasses import dataclass

REGISTRIES = "DOCKER_CONFIG_JSON"
"""The secret of a project that opens the registries of its images."""


@dataclass(frozen=True, slots=True)
class SecretUse:
    """Work gets the value in `variable`, or, as a file, the path of a file with the value."""

    name: str
    variable: str
    as_file: bool = False
