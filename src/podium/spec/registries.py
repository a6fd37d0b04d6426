"""What opens the container registries of a project: the text of a Docker configuration, as a secret
holds it. `intake/secrets` checks it, `control/tenancy` hands it to clusters."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from podium.domain.errors import FieldFault, UserError

_REMEDY = (
    "Give the file that `docker login` or `podman login --authfile FILE` writes, with the "
    "passwords in it: a credential helper keeps them elsewhere."
)


def read_registries(text: str) -> str:
    """The part that pods need, in one line. Raises UserError, which quotes nothing of it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong("is not the JSON of a Docker configuration.") from None
    auths = document.get("auths") if isinstance(document, Mapping) else None
    if not isinstance(auths, Mapping) or not auths:
        raise _wrong("names no registry (auths).")
    kept = {host: _login(entry) for host, entry in sorted(auths.items())}
    return json.dumps({"auths": kept}, separators=(",", ":"))


def _login(entry: object) -> dict[str, str]:
    """As `auth` alone, which all that reads such a file knows."""
    said = entry if isinstance(entry, Mapping) else {}
    auth, name, password = (said.get(key) for key in ("auth", "username", "password"))
    if isinstance(auth, str) and _is_login(auth):
        return {"auth": auth}
    if isinstance(name, str) and name and isinstance(password, str) and password:
        return {"auth": base64.b64encode(f"{name}:{password}".encode()).decode()}
    raise _wrong("has a registry without a user and a password.")


def _is_login(auth: str) -> bool:
    try:
        name, colon, password = base64.b64decode(auth, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    return bool(name and colon and password)


def _wrong(message: str) -> UserError:
    return UserError(FieldFault("value", message, _REMEDY))
