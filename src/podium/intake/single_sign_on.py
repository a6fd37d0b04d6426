"""Sign-in through an OpenID Connect provider: the authorisation code flow with PKCE. The API sends
the browser away with `begin`, and `finish` takes what it comes back with.

What the flow must keep secret stays with the browser, in a cookie: nonce and code verifier are
derived from it, and the store has hashes only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from podium.domain.provider import Claims, Person, Provider, claim_at, person_of
from podium.domain.tenancy import Identity, TokenKind
from podium.domain.throttle import FLOWS, WRONG_OF_SOURCE
from podium.intake.admission import person_admit
from podium.intake.attempts import counted, source_now, try_begun, try_ended_well
from podium.intake.office import Office
from podium.intake.oidc import Metadata, OidcClient, ProviderError, with_query
from podium.intake.sessions import (
    Session,
    Through,
    provider_session_of,
    secret_hash,
    session_insert,
)
from podium.intake.sign_in import SignIn
from podium.store import audit, providers, sealed_values, tokens
from podium.store.audit import ORIGIN, AuditEntry
from podium.store.database import Transaction
from podium.store.providers import Flow

FLOW_MINUTES = 10
NEXT_MAX = 2_000
_PERSONAL_CLAIMS = ("preferred_username", "email", "name")
_SESSION_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the browser goes, and the secret that it keeps meanwhile."""

    url: str
    browser_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    session: Session
    next_path: str


class SingleSignOn:
    """One for each server; it remembers what providers say of themselves."""

    def __init__(self, office: Office, sign_in: SignIn) -> None:
        self._office = office
        self._sign_in = sign_in
        self.oidc = OidcClient(office.database.now_ms, office.outbound)

    async def begin(
        self, name: str, *, redirect_uri: str, next_path: str, browser_secret: str = ""
    ) -> Begun:
        """`browser_secret` is the one that the browser has from another tab, if any. Raises
        NotFoundError, TooOftenError and ProviderError."""
        await try_begun(
            self._office,
            [counted(FLOWS, source_now())],
            "Too many sign-ins begin at this address.",
        )
        provider = await self._office.database.read(lambda tx: providers.provider_fetch(tx, name))
        secret = browser_secret or secrets.token_urlsafe(32)
        state = secrets.token_urlsafe(32)
        url = await self.oidc.authorization_url(
            provider,
            redirect_uri=redirect_uri,
            state=state,
            nonce=_derived("nonce", secret, state),
            challenge=_challenge(_derived("verifier", secret, state)),
        )
        flow = Flow(
            provider=name,
            browser_hash=secret_hash(secret),
            redirect_uri=redirect_uri,
            next_path=safe_path(next_path),
            expires_at_ms=self._office.database.now_ms() + FLOW_MINUTES * 60_000,
        )
        await self._office.database.write(
            lambda tx: providers.flow_insert(tx, secret_hash(state), flow), quiet=True
        )
        return Begun(url=url, browser_secret=secret)

    async def finish(
        self,
        name: str,
        answered: Mapping[str, str],
        *,
        browser_secret: str,
        replaces: str = "",
    ) -> Finished:
        """`answered` are the parameters that the browser brought back. Raises ProviderError, and
        TooOftenError for an address from which very many fail."""
        here = [counted(WRONG_OF_SOURCE, source_now())]
        await try_begun(self._office, here, "Too many sign-ins failed from this address.")
        state = answered.get("state", "")
        flow = await self._flow_taken(name, state, browser_secret)
        provider, sealed = await self._office.database.read(lambda tx: _with_secret(tx, name))
        metadata = await self.oidc.metadata(provider.issuer)
        _check_answer(answered, metadata)
        secret = self._opened(name, sealed)
        answer = await self.oidc.exchange(
            provider,
            secret,
            code=answered["code"],
            verifier=_derived("verifier", browser_secret, state),
            redirect_uri=flow.redirect_uri,
        )
        claims = await self.oidc.checked(
            provider,
            answer.id_token,
            nonce=_derived("nonce", browser_secret, state),
            access_token=answer.access_token,
        )
        if _is_incomplete(claims, provider):
            more = await self.oidc.userinfo(provider, answer.access_token, str(claims["sub"]))
            claims = {**more, **claims}
        _check_groups_told(claims, provider)
        through = Through(
            provider=name,
            provider_session=str(claims.get("sid", ""))[:_SESSION_MAX],
            id_token=answer.id_token,
        )
        session = await self._admitted(provider, person_of(claims, provider), through, replaces)
        await try_ended_well(self._office, clear=[], lessen=here)
        return Finished(session=session, next_path=flow.next_path)

    async def end_session_url(self, identity: Identity, *, back_to: str) -> str | None:
        """Where a browser that signs out goes next, so that the provider's session ends, too."""
        came = await provider_session_of(self._office, identity)
        if came is None:
            return None
        name, id_token = came
        try:
            provider = await self._office.database.read(
                lambda tx: providers.provider_fetch(tx, name)
            )
            metadata = await self.oidc.metadata(provider.issuer)
        except ProviderError:
            return None  # one can sign out here although nobody answers there
        if not metadata.end_session_endpoint:
            return None
        asked = {"client_id": provider.client_id, "post_logout_redirect_uri": back_to}
        if id_token:
            asked["id_token_hint"] = id_token
        return with_query(metadata.end_session_endpoint, asked)

    async def ended_there(self, name: str, logout_token: str) -> int:
        """The provider tells that somebody signed out there (back-channel logout): their sign-ins
        that came through it end. How many there were. Raises NotFoundError and ProviderError."""
        office = self._office
        provider = await office.database.read(lambda tx: providers.provider_fetch(tx, name))
        claims = await self.oidc.logout_checked(provider, logout_token)
        subject, session = str(claims.get("sub", "")), str(claims.get("sid", ""))[:_SESSION_MAX]
        now_ms = office.database.now_ms()

        def end(tx: Transaction) -> int:
            username = providers.identity_username(tx, provider.issuer, subject) if subject else ""
            if not session and not username:
                return 0
            ended = tokens.sessions_end_of_provider(
                tx, name, username=username or "", provider_session=session
            )
            entry = AuditEntry(
                actor=username or name,
                action="user:sign-out",
                subject=username or name,
                detail={"provider": name, "ended": ended},
            )
            audit.audit_append(tx, [entry], now_ms)
            return ended

        ended = await office.database.write(end, quiet=True)
        self._sign_in.forget()
        return ended

    async def _flow_taken(self, name: str, state: str, browser_secret: str) -> Flow:
        now_ms = self._office.database.now_ms()
        state_hash, browser_hash = secret_hash(state), secret_hash(browser_secret)
        flow = await self._office.database.write(
            lambda tx: providers.flow_take(tx, state_hash, browser_hash, now_ms), quiet=True
        )
        if flow is None or flow.provider != name or not state or not browser_secret:
            raise ProviderError("This browser began no such sign-in (state).", why="expired")
        return flow

    async def _admitted(
        self, provider: Provider, person: Person, through: Through, replaces: str
    ) -> Session:
        office, lifetimes = self._office, self._sign_in.lifetimes
        now_ms, origin = office.database.now_ms(), ORIGIN.get()

        def write(tx: Transaction) -> Session:
            admitted = person_admit(tx, provider, person, now_ms)
            return session_insert(
                tx,
                office,
                lifetimes,
                admitted.user,
                origin=origin,
                kind=TokenKind.SESSION,
                name=f"console through {provider.label}",
                through=through,
                replaces=replaces,
                detail=admitted.detail,
            )

        session = await office.database.write(write)
        self._sign_in.forget()
        return session

    def _opened(self, name: str, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        return sealed_values.value_opened(sealed, providers.secret_name(name), self._office.sealer)


def safe_path(path: str) -> str:
    """A path of the console, or `/` for whatever else `path` may be: another host, a scheme, or
    what browsers read as one."""
    plain = all("!" <= each <= "~" for each in path) and "\\" not in path
    if not plain or len(path) > NEXT_MAX or not path.startswith("/") or path.startswith("//"):
        return "/"
    return "/" if path.startswith("/api/") else path


def _with_secret(tx: Transaction, name: str) -> tuple[Provider, bytes | None]:
    provider = providers.provider_fetch(tx, name)
    return provider, sealed_values.value_find(tx, providers.secret_name(name))


def _check_answer(answered: Mapping[str, str], metadata: Metadata) -> None:
    issuer = answered.get("iss")
    if issuer != metadata.issuer and (issuer is not None or metadata.names_issuer):
        raise ProviderError("The answer comes from another provider (iss).")
    if "error" in answered:
        said = answered["error"][:100]
        cancelled = said in ("access_denied", "login_required", "interaction_required")
        raise ProviderError(
            f"The provider answered {said}.", why="cancelled" if cancelled else "refused"
        )
    if not answered.get("code"):
        raise ProviderError("The provider answered without a code.")


def _is_incomplete(claims: Claims, provider: Provider) -> bool:
    """Whether the provider may know more that is needed here."""
    groups = bool(provider.groups_claim) and claim_at(claims, provider.groups_claim) is None
    return groups or any(name not in claims for name in _PERSONAL_CLAIMS)


def _check_groups_told(claims: Claims, provider: Provider) -> None:
    """Where there are too many groups for a token, some providers only say where to ask: that is
    not the same as none."""
    elsewhere = claims.get("_claim_names")
    if not provider.groups_claim or claim_at(claims, provider.groups_claim) is not None:
        return
    if isinstance(elsewhere, Mapping) and provider.groups_claim in elsewhere:
        raise ProviderError(
            "The provider does not tell the groups of somebody who is in so many. Let it put "
            "only those into its tokens that Podium needs."
        )


def _derived(use: str, secret: str, state: str) -> str:
    digest = hmac.new(secret.encode(), f"{use}\0{state}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
