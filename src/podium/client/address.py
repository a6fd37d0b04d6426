"""Server addresses as people write them, made into the one form that is stored and compared.

Called by the client, its configuration file and `podium login`.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from podium.domain.errors import FieldFault, UserError

DEFAULT_SERVER = "http://127.0.0.1:8470"


def server_address(text: str) -> str:
    """`"gpu1:8470/"` → `"http://gpu1:8470"`. Raises UserError for what is no HTTP address."""
    written = text.strip()
    parts = urlsplit(written if "://" in written else f"http://{written}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise UserError(
            FieldFault("server", f"'{text}' is not an address.", f"Write it like {DEFAULT_SERVER}.")
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + parts.path.rstrip("/")


def sign_in_link(text: str) -> tuple[str | None, str]:
    """A sign-in link or a bare ticket → (server or None, ticket)."""
    if "ticket=" not in text:
        return None, text.strip()
    address, _, fragment = text.strip().partition("#")
    ticket = parse_qs(fragment.lstrip("/?")).get("ticket", [""])[0]
    return (server_address(address) if address else None), ticket
