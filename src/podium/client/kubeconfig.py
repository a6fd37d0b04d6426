"""A kubeconfig of this machine as text that can be sent: one context, and no files named in it."""

from __future__ import annotations

from pathlib import Path

from podium.domain.errors import FieldFault, UserError
from podium.spec.kubeconfig import Kubeconfig, read_kubeconfig

_BYTES_MAX = 4 * 2**20


def load(path: Path, context: str = "") -> Kubeconfig:
    """The context of that name, or the current one, with the files that it names. Raises UserError,
    which names what is wrong."""

    def read(name: str) -> bytes:
        return _bytes(path.parent / name, f"names {name}, which")

    try:
        text = _bytes(path, str(path)).decode()
    except UnicodeDecodeError:
        raise UserError(FieldFault("kubeconfig", f"{path} is no text.", _REMEDY)) from None
    return read_kubeconfig(text, context, read)


_REMEDY = "Name the file that kubectl uses, often ~/.kube/config."


def _bytes(path: Path, what: str) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            found = file.read(_BYTES_MAX + 1)
    except OSError as error:
        why = error.strerror or "it is no file"
        raise UserError(
            FieldFault("kubeconfig", f"{what} cannot be read: {why}.", _REMEDY)
        ) from None
    if len(found) > _BYTES_MAX:
        raise UserError(FieldFault("kubeconfig", f"{what} is larger than 4 MiB.", _REMEDY))
    return found
