"""The headers that tell browsers what an answer may do. `app.Guard`, `app` for the console's page,
and `connections` send them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

Headers = tuple[tuple[bytes, bytes], ...]

NONCE = "__PODIUM_NONCE__"
"""Stands in the console's index where the nonce of an answer goes."""

EVERYWHERE: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        (
            b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), "
            b"hid=(), midi=(), display-capture=(), browsing-topics=()"
        ),
    ),
)
_HTTPS: Headers = ((b"strict-transport-security", b"max-age=63072000; includeSubDomains"),)
_DATA: Headers = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)
# Answers that are data; everything else is the console's page or a file of it.
_DATA_PATHS = (b"/api/", b"/scim/", b"/metrics", b"/healthz", b"/readyz")


def page_policy(nonce: str = "") -> str:
    """What the console's page may load and run. Its own sheets carry `nonce`, since the libraries
    make some while it runs."""
    own = f" 'nonce-{nonce}'" if nonce else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'{own}; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


_FILES: Headers = ((b"content-security-policy", page_policy().encode()),)


def added(path: str, scheme: str, given: Iterable[tuple[bytes, bytes]]) -> Headers:
    """What an answer still lacks, so that a route may say something stricter or laxer itself."""
    known = {name.lower() for name, _ in given}
    data = path.encode("utf-8", "replace").startswith(_DATA_PATHS)
    wanted = (*EVERYWHERE, *(_HTTPS if scheme == "https" else ()), *(_DATA if data else _FILES))
    return tuple(each for each in wanted if each[0] not in known)


def with_nonce(index: str) -> tuple[str, Mapping[str, str]]:
    """The console's page and its headers, for one answer: a nonce that is told twice is none."""
    nonce = secrets.token_urlsafe(16)
    return index.replace(NONCE, nonce), {
        "Cache-Control": "no-store",
        "Content-Security-Policy": page_policy(nonce),
    }
