"""What the routes work with, and who is asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request

from podium.api import cookies
from podium.api.board import Board
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Streams
from podium.control.fleet import Fleet
from podium.control.foresight import Foresight
from podium.control.forwarding import Forwarder
from podium.control.loop import Loop
from podium.control.notary import Notary
from podium.control.planning import Planning
from podium.control.recorder import Recording
from podium.control.replaying import Replaying
from podium.control.schedule import Cycles
from podium.domain.errors import (
    ForbiddenError,
    PasswordChangeError,
    TemporaryError,
    UnauthenticatedError,
)
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.engines.contract import Engine
from podium.intake.clusters import Probe
from podium.intake.office import Office, authorise
from podium.intake.sign_in import SignIn
from podium.intake.single_sign_on import SingleSignOn
from podium.store.audit import ORIGIN
from podium.store.database import Database

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
    planning: Planning = field(default_factory=Planning)
    notary: Notary | None = None
    forwarder: Forwarder | None = None
    fleet: Fleet | None = None
    probe: Probe | None = None  # of clusters
    public_url: str = ""  # where people reach the console; empty: where they ask
    single_sign_on: SingleSignOn = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "single_sign_on", SingleSignOn(self.office, self.sign_in))

    @property
    def database(self) -> Database:
        return self.office.database


def context_of(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


async def identity_of(request: Request) -> Identity:
    """The signed-in person. Raises as `signed_in`, and PasswordChangeError for who came with a
    one-time password and has not set their own."""
    identity = await signed_in(request)
    if identity.must_change_password:
        raise PasswordChangeError(
            "Your password is a one-time one. Set your own first: run `podium password`, or sign "
            "in to the console, which asks for it."
        )
    return identity


async def signed_in(request: Request) -> Identity:
    """As `identity_of`, for the few routes that a one-time password is good for. Raises
    UnauthenticatedError, or ForbiddenError for a request that a foreign page may have made a
    browser send."""
    context = context_of(request)
    secret, by_cookie = _secret_of(request)
    if secret is None:
        raise UnauthenticatedError("Sign in first: send a token as `Authorization: Bearer …`.")
    safe = request.method in _SAFE_METHODS or request.headers.get("x-podium-csrf") == "1"
    if by_cookie and not safe:
        raise ForbiddenError("A change made with a cookie needs the header X-Podium-CSRF: 1.")
    if by_cookie and request.method not in _SAFE_METHODS:
        cookies.check_own_page(request, context.public_url)
    identity = await context.sign_in.identify(secret)
    request.state.identity = identity
    origin = ORIGIN.get()
    if origin is not None:
        ORIGIN.set(replace(origin, token_id=identity.token_id))
    return identity


def _secret_of(request: Request) -> tuple[str | None, bool]:
    """The token that a request carries, and whether it is that of the cookie."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return secret.strip(), False
    return cookies.session_secret(request), True


async def _context(request: Request) -> Context:
    """Not a plain function: FastAPI would call that in a thread, for every request."""
    return context_of(request)


async def _own_page(request: Request) -> None:
    """For what anybody may ask for, and no page of another site. Raises ForbiddenError."""
    cookies.check_own_page(request, context_of(request).public_url)


async def let_in(who: Annotated[Identity, Depends(identity_of)]) -> None:
    """For what is about the cluster as a whole. Raises ForbiddenError for who has no role."""
    authorise(who, Action.NODE_READ)


Ctx = Annotated[Context, Depends(_context)]
Who = Annotated[Identity, Depends(identity_of)]
SignedIn = Annotated[Identity, Depends(signed_in)]
OwnPage = Annotated[None, Depends(_own_page)]


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
        return now.rights == who.rights

    return holds


Still = Annotated[Callable[[], Awaitable[bool]], Depends(_still)]
