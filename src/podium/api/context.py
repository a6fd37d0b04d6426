"""What the routes work with, and who is asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.streams import Streams
from podium.control.loop import Loop
from podium.domain.errors import ForbiddenError, UnauthenticatedError
from podium.domain.tenancy import Identity
from podium.engines.contract import Engine
from podium.intake.office import Office
from podium.intake.sign_in import SignIn
from podium.store.database import Database

COOKIE = "podium_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Context:
    """Made once by `main`."""

    office: Office
    sign_in: SignIn
    engines: Mapping[str, Engine]
    feed: Feed
    log_tails: LogTails
    loops: Sequence[Loop]
    streams: Streams
    about: Mapping[str, Any]

    @property
    def database(self) -> Database:
        return self.office.database


def context_of(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


async def identity_of(request: Request) -> Identity:
    """The signed-in person. Raises UnauthenticatedError, or ForbiddenError for a request that a
    foreign page may have made a browser send."""
    context = context_of(request)
    header = request.headers.get("authorization", "")
    scheme, _, secret = header.partition(" ")
    if scheme.lower() == "bearer" and secret:
        return await context.sign_in.identify(secret.strip())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise UnauthenticatedError("Sign in first: send a token as `Authorization: Bearer …`.")
    if request.method not in _SAFE_METHODS and request.headers.get("x-podium-csrf") != "1":
        raise ForbiddenError("A change made with a cookie needs the header X-Podium-CSRF: 1.")
    return await context.sign_in.identify(cookie)


async def _context(request: Request) -> Context:
    """Not a plain function: FastAPI would call that in a thread, for every request."""
    return context_of(request)


Ctx = Annotated[Context, Depends(_context)]
Who = Annotated[Identity, Depends(identity_of)]
