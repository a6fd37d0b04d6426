"""What the routes work with, and who is asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from podium.api.board import Board
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Streams
from podium.control.foresight import Foresight
from podium.control.loop import Loop
from podium.control.recorder import Recording
from podium.control.replaying import Replaying
from podium.control.schedule import Cycles
from podium.domain.errors import ForbiddenError, TemporaryError, UnauthenticatedError
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
    board: Board
    node_news: NodeNews
    log_tails: LogTails
    loops: Sequence[Loop]
    streams: Streams
    foresight: Foresight
    about: Mapping[str, Any]
    cycles: Cycles = field(default_factory=Cycles)  # of this server's own scheduler
    recording: Recording = field(default_factory=Recording)
    replaying: Replaying = field(default_factory=Replaying)

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
    secret, by_cookie = _secret_of(request)
    if secret is None:
        raise UnauthenticatedError("Sign in first: send a token as `Authorization: Bearer …`.")
    safe = request.method in _SAFE_METHODS or request.headers.get("x-podium-csrf") == "1"
    if by_cookie and not safe:
        raise ForbiddenError("A change made with a cookie needs the header X-Podium-CSRF: 1.")
    return await context.sign_in.identify(secret)


def _secret_of(request: Request) -> tuple[str | None, bool]:
    """The token that a request carries, and whether it is that of the cookie."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return secret.strip(), False
    return request.cookies.get(COOKIE), True


async def _context(request: Request) -> Context:
    """Not a plain function: FastAPI would call that in a thread, for every request."""
    return context_of(request)


Ctx = Annotated[Context, Depends(_context)]
Who = Annotated[Identity, Depends(identity_of)]


async def _still(request: Request, who: Who) -> Callable[[], Awaitable[bool]]:
    """Whether the sign-in of this request still holds, with the same rights: for answers that
    last, such as streams."""
    sign_in = context_of(request).sign_in
    secret, _ = _secret_of(request)

    async def holds() -> bool:
        try:
            now = await sign_in.identify(secret or "")
        except UnauthenticatedError:
            return False
        except TemporaryError:
            return True  # the store cannot be asked now; it says nothing against it
        return (now.administrator, now.roles) == (who.administrator, who.roles)

    return holds


Still = Annotated[Callable[[], Awaitable[bool]], Depends(_still)]
