"""How a wrong field is told to a person: every module of `spec/` raises and gathers with this."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, PlainValidator, ValidationError

from podium.domain.errors import FieldFault

Read = TypeVar("Read")

FAULTS_MAX = 50
_SHOWN_MAX = 60
_MORE = FieldFault("", "There are more faults than these.", "Mend these first, then check again.")

_OTHER_WORDS: Mapping[str, str] = {
    "apiVersion": "version",
    "args": "command",
    "branch": "source.ref",
    "cmd": "command",
    "commit": "source.ref",
    "dependencies": "depends_on",
    "elastic": "replicas",
    "environment": "env",
    "mounts": "volumes",
    "namespace": "project",
    "needs": "depends_on",
    "node_labels": "resources.nodes",
    "node_selector": "resources.nodes",
    "partition": "resources.pool",
    "pools": "resources.pool",
    "profile": "resources.mig",
    "ram": "resources.memory",
    "run": "script",
    "tasks": "array",
    "team": "project",
    "time_limit": "max_runtime",
    "timeout": "max_runtime",
    "title": "name",
    "type": "kind",
    "url": "source.git",
    "vram": "resources.gpu_memory",
    "workers": "replicas",
}
"""What people call a field elsewhere, where the spelling alone does not lead to it."""


class FieldError(ValueError):
    """A field's value is wrong, in one place or in several inside it (`faults`, whose `field` is
    relative to the field that was read). Pydantic carries it; `faults_from` unpacks it."""

    def __init__(
        self, message: str = "", remedy: str = "", *, faults: Iterable[FieldFault] = ()
    ) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (FieldFault("", message, remedy),)


def checked(read: Callable[[object], object]) -> PlainValidator:
    """A validator that lets `read` judge a value and keeps the value as it was written."""

    def keep(value: object) -> object:
        read(value)
        return value

    return PlainValidator(keep)


def each(items: Iterable[tuple[str, object]], read: Callable[[object], Read]) -> list[Read]:
    """Read every (place, value); raises one FieldError with the faults of all of them."""
    values: list[Read] = []
    faults: list[FieldFault] = []
    for place, value in items:
        try:
            values.append(read(value))
        except FieldError as error:
            faults.extend(under(shown(place), error.faults))
    if faults:
        raise FieldError(faults=faults)
    return values


def under(place: str, faults: Iterable[FieldFault]) -> list[FieldFault]:
    """The same faults, one level further out: `path` under `volumes.0` is `volumes.0.path`."""
    return [
        FieldFault(f"{place}.{fault.field}" if fault.field else place, fault.message, fault.remedy)
        for fault in faults
    ]


def said(error: ValueError) -> FieldError:
    """A domain parser's "what is wrong; what would be right" as a FieldError."""
    wrong, _, right = str(error).partition("; ")
    return FieldError(f"{wrong}.", f"{right[0].upper()}{right[1:]}." if right else "")


def shown(value: object) -> str:
    """A value as a message may quote it: short, on one line."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "a very large number"  # Python refuses to write some of them out
    text = str(value).encode(errors="replace").decode()
    text = "".join(letter if letter.isprintable() else "�" for letter in text[:_SHOWN_MAX])
    return text + "…" if len(str(value)) > _SHOWN_MAX else text


def described(value: object) -> str:
    """What kind of thing a value is, in words that YAML users know."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    for types, words in (
        ((int, float), f"the number {shown(value)}"),
        ((str,), f"the text '{shown(value)}'"),
        ((Mapping,), "a map"),
        ((list, tuple), "a list"),
    ):
        if isinstance(value, types):
            return words
    return f"of the type {type(value).__name__}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely means."""
    lowered = word[:64].lower()
    found = difflib.get_close_matches(lowered, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def unknown_field(key: str, known: Sequence[str], *, place: str = "") -> tuple[FieldFault, str]:
    """The fault of an unknown field, and the dotted name that was probably meant, or ''.

    `known` are the names at this `place`; names at other places are suggested with their path.
    """
    meant = nearest(key, known)
    if meant is not None:
        meant = f"{place}.{meant}" if place else meant
    else:
        meant = _OTHER_WORDS.get(key, "")
    remedy = f"Did you mean '{meant}'?" if meant else f"Known here: {', '.join(known)}."
    where = f"{place}.{shown(key)}" if place else shown(key)
    return FieldFault(where, "is not a known field.", remedy), meant


def faults_from(
    error: ValidationError, models: Mapping[str, type[BaseModel]]
) -> tuple[list[FieldFault], set[str]]:
    """A validation's errors in plain words, and the dotted names of the fields that they leave in
    doubt. `models` holds each model by its dotted place in the document, '' for the document."""
    faults: list[FieldFault] = []
    doubtful: set[str] = set()
    details = error.errors(include_url=False)
    for detail in details[:FAULTS_MAX]:
        place = ".".join(shown(part) for part in detail["loc"])
        outer = ".".join(str(part) for part in detail["loc"][:-1])
        last = str(detail["loc"][-1]) if detail["loc"] else ""
        if len(detail["loc"]) > 1 and isinstance(detail["loc"][1], int):
            doubtful.add(str(detail["loc"][0]))
        cause = detail.get("ctx", {}).get("error")
        doubtful.add(place)
        if isinstance(cause, FieldError):
            faults.extend(under(place, cause.faults))
        elif detail["type"] in ("extra_forbidden", "invalid_key"):
            fault, meant = _unknown(last, outer, models)
            faults.append(fault)
            doubtful.update((meant, outer))
        elif detail["type"] == "missing":
            faults.append(FieldFault(place, "is missing.", f"Add {last}: {last.upper()}."))
        elif _shape(place) in models:
            names = ", ".join(models[_shape(place)].model_fields)
            faults.append(
                FieldFault(
                    place,
                    f"is {described(detail['input'])}; it must be a map.",
                    f"Write fields under it: {names}.",
                )
            )
        else:
            faults.append(FieldFault(place, f"is not right: {detail['msg']}."))
    if len(details) > FAULTS_MAX:
        faults.append(_MORE)
    return faults, doubtful


def bounded(faults: Sequence[FieldFault]) -> Sequence[FieldFault]:
    """The first FAULTS_MAX faults and a word about the rest."""
    if len(faults) <= FAULTS_MAX:
        return faults
    return [*faults[:FAULTS_MAX], _MORE]


def _shape(place: str) -> str:
    """The place in any entry of its list: `groups.1.resources` is `groups.*.resources`."""
    return ".".join("*" if part.isdecimal() else part for part in place.split("."))


def _unknown(key: str, outer: str, models: Mapping[str, type[BaseModel]]) -> tuple[FieldFault, str]:
    inside = _shape(outer)
    # First what stands under the same entry of a list, then everything that is in no list.
    near = {
        place.replace(inside, outer, 1): model
        for place, model in models.items()
        if "*" in inside and place.startswith(f"{inside}.")
    }
    far = {place: model for place, model in models.items() if "*" not in place}
    for place, model in (near | far).items():
        # `gpus` at the top belongs under `resources`: the right word in the wrong place.
        if place != outer and key in model.model_fields:
            meant = f"{place}.{key}" if place else key
            where = f"{outer}.{shown(key)}" if outer else shown(key)
            return FieldFault(where, "is not a field here.", f"Did you mean '{meant}'?"), meant
    return unknown_field(key, list(models[inside].model_fields), place=outer)
