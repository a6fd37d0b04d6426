"""The secrets that a spec asks for, as variables or as files. `spec/program` builds with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from podium.domain.errors import FieldFault
from podium.domain.secret import SecretUse
from podium.spec.faults import FieldError, each
from podium.spec.fields import read_choice, read_fields, read_list

SECRETS_MAX = 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
# What Podium itself tells the work, and what its devices and its end depend on.
_OURS = re.compile(r"PODIUM_.*|CUDA_VISIBLE_DEVICES|NVIDIA_VISIBLE_DEVICES")
_WAYS = ("env", "file")

SECRETS_SCHEMA: dict[str, object] = {
    "type": "array",
    "maxItems": SECRETS_MAX,
    "items": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "The secret's name."},
                    "as": {
                        "type": ["string", "null"],
                        "enum": [*_WAYS, None],
                        "description": "env puts the value into a variable; file puts it into a "
                        "file and the file's path into the variable. env when left out.",
                    },
                    "env": {
                        "type": ["string", "null"],
                        "description": "The variable's name; left out, the secret's, with _FILE "
                        "after it for a file.",
                    },
                },
                "required": ["name"],
                "additionalProperties": False,
            },
        ]
    },
}


def read_secrets(value: object) -> tuple[SecretUse, ...]:
    """Names, or maps `{name, as, env}`. What is wrong is never quoted: people write values here
    by mistake."""
    entries = read_list(value, length_max=SECRETS_MAX, example="[HF_TOKEN]")
    places = ((str(i), entry) for i, entry in enumerate(entries))
    uses = tuple(dict.fromkeys(each(places, _use)))
    variables = [use.variable for use in uses]
    faults = [
        FieldFault(
            str(i),
            f"uses the variable {variable} a second time.",
            "Give it another one with env: NAME.",
        )
        for i, variable in enumerate(variables)
        if variable in variables[:i]
    ]
    if faults:
        raise FieldError(faults=faults)
    return uses


def write_secrets(uses: Sequence[SecretUse]) -> list[object]:
    """As `read_secrets` reads them back, the plain ones as plain names."""
    written: list[object] = []
    for use in uses:
        if use == SecretUse(use.name, use.name):
            written.append(use.name)
            continue
        way = "file" if use.as_file else "env"
        written.append({"name": use.name, "as": way, "env": use.variable})
    return written


def _use(entry: object) -> SecretUse:
    if isinstance(entry, str):
        name = _name(entry)
        return SecretUse(name, _variable(name))
    fields = read_fields(
        entry,
        {"name": _name, "as": partial(read_choice, names=_WAYS), "env": _variable},
        defaults={"as": "env", "env": None},
    )
    name, as_file = str(fields["name"]), fields["as"] == "file"
    variable = fields["env"]
    if variable is None:
        variable = _variable(f"{name}_FILE" if as_file else name)
    return SecretUse(name, str(variable), as_file)


def _name(value: object) -> str:
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise FieldError(
            "is not a secret's name.",
            "Name a secret of the project, such as HF_TOKEN. Its value does not belong here: set "
            "it with `podium secret set NAME`.",
        )
    return value


def _variable(value: object) -> str:
    if not isinstance(value, str) or _VARIABLE.fullmatch(value) is None:
        raise FieldError(
            "is not a variable's name.", "Use letters, digits and '_', and no digit first."
        )
    if _OURS.fullmatch(value):
        raise FieldError(f"is {value}, which Podium sets itself.", "Choose another with env: NAME.")
    return value
