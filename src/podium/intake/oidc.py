"""Talks to OpenID Connect providers: discovery, keys, codes for tokens, and what makes an ID token
good. `intake/single_sign_on` calls it; no transaction is open meanwhile."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from podium.domain.address import is_loopback
from podium.domain.errors import PodiumError, TemporaryError
from podium.domain.outbound import Outbound, OutboundError, outbound_read
from podium.domain.provider import Claims, Provider
from podium.outbound.http import guarded_client

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA", "Ed25519",
)  # fmt: skip
"""Signatures that a public key checks. `none` and shared secrets are no proof of who signed."""

LEEWAY_SECONDS = 60
_TIMEOUT_SECONDS = 10.0
_OWN_MACHINE = outbound_read(["127.0.0.0/8", "::1"])
_BYTES_MAX = 2**20
_TOKEN_CHARACTERS_MAX = 100_000
_SUBJECT_MAX = 255
_KEPT_MS = 3_600_000
_RSA_BITS_MIN = 2048
_KEYS_MAX = 50
_REFETCHES = 5
_REFETCH_MS = 60_000
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class ProviderError(PodiumError):
    """The provider's answer cannot be trusted or is not as it should be; `why` is a word for the
    console, `message` tells administrators more."""

    code = "provider"

    def __init__(self, message: str, *, why: str = "refused") -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    names_issuer: bool = False
    secret_by_post: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider gives for a code."""

    id_token: str
    access_token: str


@dataclass(slots=True)
class _Kept:
    """What is remembered of one issuer."""

    metadata: Metadata
    fetched_at_ms: int
    keys: list[jwk.Key] = field(default_factory=list)
    keys_at_ms: int = 0
    refetches: list[int] = field(default_factory=list)


class OidcClient:
    """Remembers metadata and keys for an hour; a signature by an unknown key fetches them anew, a
    few times a minute at most."""

    def __init__(self, now_ms: Callable[[], int], outbound: Outbound | None = None) -> None:
        self._now_ms = now_ms
        self._outbound = outbound or Outbound()
        self._kept: dict[str, _Kept] = {}
        self._tls: ssl.SSLContext | None = None

    async def metadata(self, issuer: str, *, afresh: bool = False) -> Metadata:
        """Raises ProviderError."""
        return (await self._known(issuer, afresh=afresh)).metadata

    async def keys_found(self, issuer: str) -> int:
        """How many usable keys it has just now. Raises ProviderError."""
        kept = await self._known(issuer)
        await self._fetch_keys(kept)
        return len(kept.keys)

    async def authorization_url(
        self, provider: Provider, *, redirect_uri: str, state: str, nonce: str, challenge: str
    ) -> str:
        """Where to send the browser. Raises ProviderError."""
        metadata = await self.metadata(provider.issuer)
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return with_query(metadata.authorization_endpoint, asked)

    async def exchange(
        self, provider: Provider, secret: str | None, *, code: str, verifier: str, redirect_uri: str
    ) -> Answer:
        """Raises ProviderError."""
        metadata = await self.metadata(provider.issuer)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if secret is not None and not metadata.secret_by_post:
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = provider.client_id
            if secret is not None:
                form["client_secret"] = secret
        answer = await self._json("POST", metadata.token_endpoint, data=form, headers=headers)
        id_token, access_token = answer.get("id_token"), answer.get("access_token", "")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderError("Its token endpoint answered without an ID token.")
        return Answer(id_token=id_token, access_token=access_token)

    async def checked(
        self, provider: Provider, id_token: str, *, nonce: str, access_token: str = ""
    ) -> Claims:
        """The claims of a good ID token. Raises ProviderError."""
        header, claims = await self._signed(provider, id_token)
        self._check(provider, claims, essential=("iss", "sub", "aud", "exp", "iat"))
        if not _same(claims.get("nonce"), nonce):
            raise ProviderError("The ID token was made for another sign-in (nonce).")
        audience, party = claims["aud"], claims.get("azp")
        many = isinstance(audience, list) and len(audience) > 1
        if (party is not None or many) and party != provider.client_id:
            raise ProviderError("The ID token was made for another client (azp).")
        _check_access_token(header, claims, access_token)
        if not 0 < len(claims["sub"]) <= _SUBJECT_MAX:
            raise ProviderError("The ID token names nobody (sub).")
        return claims

    async def logout_checked(self, provider: Provider, logout_token: str) -> Claims:
        """The claims of a good back-channel logout token. Raises ProviderError."""
        _, claims = await self._signed(provider, logout_token)
        self._check(provider, claims, essential=("iss", "aud", "exp", "iat", "jti"))
        events = claims.get("events")
        told = "http://schemas.openid.net/event/backchannel-logout"
        if not isinstance(events, Mapping) or told not in events or "nonce" in claims:
            raise ProviderError("It is no logout token.")
        if not isinstance(claims.get("sub", ""), str) or not isinstance(claims.get("sid", ""), str):
            raise ProviderError("The logout token names nobody.")
        return claims

    async def userinfo(self, provider: Provider, access_token: str, subject: str) -> Claims:
        """What else it knows of them; empty where it has nothing to ask. Raises ProviderError."""
        metadata = await self.metadata(provider.issuer)
        if not metadata.userinfo_endpoint or not access_token:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        claims = await self._json("GET", metadata.userinfo_endpoint, headers=headers)
        if not _same(claims.get("sub"), subject):
            raise ProviderError("Its userinfo is about somebody else (sub).")
        return claims

    async def _known(self, issuer: str, *, afresh: bool = False) -> _Kept:
        now_ms = self._now_ms()
        kept = self._kept.get(issuer)
        if kept is None or afresh or now_ms - kept.fetched_at_ms >= _KEPT_MS:
            url = issuer.rstrip("/") + "/.well-known/openid-configuration"
            metadata = _metadata(issuer, await self._json("GET", checked_url(url, issuer)))
            if kept is None:
                kept = self._kept.setdefault(issuer, _Kept(metadata, now_ms))
            kept.metadata, kept.fetched_at_ms = metadata, now_ms
        return kept

    async def _signed(
        self, provider: Provider, token: str
    ) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """Header and claims of a token that one of the issuer's keys signed."""
        if len(token) > _TOKEN_CHARACTERS_MAX:
            raise ProviderError("The token is too long.")
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, RecursionError) as error:
            raise ProviderError("The token cannot be read.") from error
        if header.get("alg") not in ALGORITHMS:
            raise ProviderError("The token is not signed in a way that proves anything (alg).")
        kept = await self._known(provider.issuer)
        now_ms = self._now_ms()
        if not kept.keys or now_ms - kept.keys_at_ms >= _KEPT_MS:
            await self._fetch_keys(kept)
        found = _opened(token, header, kept.keys)
        if found is None and self._may_refetch(kept, now_ms):
            await self._fetch_keys(kept)
            found = _opened(token, header, kept.keys)
        if found is None:
            raise ProviderError("The token is not signed by a key of the provider.")
        return header, found

    def _check(
        self, provider: Provider, claims: dict[str, Any], *, essential: tuple[str, ...]
    ) -> None:
        values = {"iss": provider.issuer, "aud": provider.client_id}
        options: dict[str, jwt.ClaimsOption] = {name: {"essential": True} for name in essential}
        for name, value in values.items():
            options[name] = {"essential": True, "value": value}
        registry = jwt.JWTClaimsRegistry(
            now=self._now_ms() // 1000, leeway=LEEWAY_SECONDS, **options
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise ProviderError(f"The token is not good: {error}.") from error

    def _may_refetch(self, kept: _Kept, now_ms: int) -> bool:
        kept.refetches = [each for each in kept.refetches if now_ms - each < _REFETCH_MS]
        if len(kept.refetches) >= _REFETCHES:
            return False
        kept.refetches.append(now_ms)
        return True

    async def _fetch_keys(self, kept: _Kept) -> None:
        found = (await self._json("GET", kept.metadata.jwks_uri)).get("keys")
        if not isinstance(found, list):
            raise ProviderError("Its key set cannot be read.")
        kept.keys = [key for each in found[:_KEYS_MAX] if (key := _key(each)) is not None]
        kept.keys_at_ms = self._now_ms()

    async def _json(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """An answer of bounded size, in bounded time, from that very address."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                status, body = await self._fetch(method, url, data=data, headers=headers)
        except (OutboundError, TemporaryError) as error:
            raise ProviderError(error.message, why="unreachable") from error
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            told = str(error) or type(error).__name__
            raise ProviderError(
                f"{_host(url)} cannot be reached: {told}", why="unreachable"
            ) from error
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        if status >= 400:
            said = document.get("error", "") if isinstance(document, dict) else ""
            why = "unreachable" if status >= 500 else "refused"
            told = f"{_host(url)} answered {status} {str(said)[:100]}".strip()
            raise ProviderError(told, why=why)
        if status != 200 or not isinstance(document, dict):
            raise ProviderError(f"{_host(url)} answered {status}, and no JSON document.")
        return document

    async def _fetch(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[int, bytes]:
        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        # Plain http is for issuers on this machine alone: see `checked_url`.
        own = is_loopback(url) and urlsplit(url).scheme == "http"
        outbound = self._outbound.opened(_OWN_MACHINE) if own else self._outbound
        async with (
            guarded_client(
                outbound, timeout_seconds=_TIMEOUT_SECONDS, verify=self._tls, proxied=not own
            ) as http,
            http.stream(
                method, url, data=data, headers={"Accept": "application/json", **(headers or {})}
            ) as response,
        ):
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _BYTES_MAX:
                    raise ProviderError(f"{_host(url)} answers more than {_BYTES_MAX} bytes.")
            return response.status_code, bytes(body)


def checked_url(url: str, issuer: str) -> str:
    """Raises ProviderError for an address that is not https, but for one on this machine of an
    issuer on this machine."""
    parts = urlsplit(url)
    plain = parts.scheme == "http" and is_loopback(url) and is_loopback(issuer)
    if not (parts.scheme == "https" or plain) or not parts.hostname or parts.username is not None:
        raise ProviderError(f"The address {url[:200]} is not https.")
    return url


def with_query(url: str, values: Mapping[str, str]) -> str:
    """`url` with more parameters."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(values))))
    return parts._replace(query=query, fragment="").geturl()


def _metadata(issuer: str, document: Mapping[str, Any]) -> Metadata:
    if document.get("issuer") != issuer:
        raise ProviderError(
            f"It calls itself {str(document.get('issuer'))[:200]}, not {issuer}. "
            "Write the issuer exactly as the provider does."
        )

    def address(name: str, *, needed: bool = False) -> str:
        found = document.get(name)
        if not isinstance(found, str) or not found:
            if needed:
                raise ProviderError(f"It does not name its {name}.")
            return ""
        return checked_url(found, issuer)

    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        issuer=issuer,
        authorization_endpoint=address("authorization_endpoint", needed=True),
        token_endpoint=address("token_endpoint", needed=True),
        jwks_uri=address("jwks_uri", needed=True),
        userinfo_endpoint=address("userinfo_endpoint"),
        end_session_endpoint=address("end_session_endpoint"),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        secret_by_post="client_secret_basic" not in methods and "client_secret_post" in methods,
    )


def _key(data: object) -> jwk.Key | None:
    """A public key for signatures; None for any other, and for one that is too weak."""
    if not isinstance(data, dict) or data.get("use", "sig") != "sig":
        return None
    if data.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        key = jwk.import_key(data)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, jwk.RSAKey) and key.public_key.key_size < _RSA_BITS_MIN:
        return None
    return key


def _opened(token: str, header: Mapping[str, Any], keys: list[jwk.Key]) -> dict[str, Any] | None:
    """The claims, if one of the keys signed them: that of the token's key id, where it has one."""
    kid = header.get("kid")
    for key in keys:
        if kid is not None and key.kid is not None and key.kid != kid:
            continue
        try:
            return dict(jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    return None


def _check_access_token(header: Mapping[str, Any], claims: Claims, access_token: str) -> None:
    told = claims.get("at_hash")
    if told is None or not access_token:
        return
    algorithm = str(header.get("alg"))
    digest = _HASHES.get(algorithm[-3:], hashlib.sha512)(access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    if not _same(told, half):
        raise ProviderError("The access token is not the one of the ID token (at_hash).")


def _same(told: object, wanted: str) -> bool:
    return isinstance(told, str) and hmac.compare_digest(told.encode(), wanted.encode())


def _host(url: str) -> str:
    return urlsplit(url).hostname or "The provider"
