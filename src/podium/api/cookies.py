"""What a browser keeps for us, and whether it was our own page that sent a request.

On https the cookies' names begin with `__Host-`, so that no other host can set or read them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from podium.domain.errors import ForbiddenError

SESSION = "podium_session"
FLOW = "podium_flow"
_FOREIGN = frozenset({"cross-site", "same-site"})
_FOREIGN_PAGE = "This request was sent by a page of another site, so nothing was done."


def session_secret(request: Request) -> str | None:
    """The secret of the sign-in that the browser has."""
    return request.cookies.get(_name(request, SESSION))


def session_set(request: Request, response: Response, secret: str, *, seconds: int) -> None:
    response.set_cookie(
        _name(request, SESSION),
        secret,
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=_is_https(request),
    )


def session_clear(request: Request, response: Response) -> None:
    _clear(request, response, SESSION)


def flow_secret(request: Request) -> str:
    """What the browser keeps while it is at a sign-in provider; empty when it has nothing."""
    return request.cookies.get(_name(request, FLOW), "")


def flow_set(request: Request, response: Response, secret: str, *, seconds: int) -> None:
    """Lax, because the browser comes back from another site."""
    response.set_cookie(
        _name(request, FLOW),
        secret,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=_is_https(request),
    )


def own_address(request: Request, public_url: str) -> str:
    """Where this server is for the browser that asks, without a slash at the end."""
    return public_url or f"{request.url.scheme}://{request.url.netloc}"


def check_own_page(request: Request, public_url: str = "") -> None:
    """Raises ForbiddenError when a browser says that a page of another site sent this. Programs
    that are no browsers say nothing of it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site in _FOREIGN:
            raise ForbiddenError(_FOREIGN_PAGE)
        return
    origin = request.headers.get("origin")
    if origin is None:
        return
    own = {request.url.netloc, urlsplit(public_url).netloc} - {""}
    if urlsplit(origin).netloc not in own:
        raise ForbiddenError(_FOREIGN_PAGE)


def _clear(request: Request, response: Response, name: str) -> None:
    https = _is_https(request)
    response.delete_cookie(_name(request, name), httponly=True, samesite="strict", secure=https)


def _name(request: Request, name: str) -> str:
    return f"__Host-{name}" if _is_https(request) else name


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"
