"""An OpenID Connect provider of our own on loopback, which does as a test tells it: honest by
default, and otherwise as an attacker or a careless administrator would have it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwk, jwt

CLIENT_ID = "podium"
CLIENT_SECRET = "only-podium/knows:this"


@dataclass
class OwnProvider:
    """`claims` and `header` go over what an honest ID token says (None takes a claim out);
    `metadata` over its discovery document; `userinfo` is what it tells of anybody."""

    now_s: Callable[[], float] = time.time
    issuer: str = ""
    keys: list[jwk.Key] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    raw: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.rotate("first")

    def rotate(self, kid: str) -> None:
        """Another key from now on."""
        self.keys = [jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})]

    def agree(self, url: str, sub: str = "248289", **answer: str) -> dict[str, str]:
        """As if somebody signed in there: what the browser brings back."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert url.startswith(f"{self.issuer}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{next(self._numbers)}"
        self._codes[code] = {**asked, "sub": sub}
        return {"state": asked["state"], "code": code, **answer}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(self.now_s())
        claims = {
            "iss": self.issuer,
            "sub": asked["sub"],
            "aud": asked["client_id"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.signed(claims)

    def signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self.keys[0].kid, **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        if self.sign is not None:
            return self.sign(header, claims)
        return jwt.encode(header, claims, self.keys[0], algorithms=[header["alg"]])

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end",
            **self.metadata,
        }

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, self.discovery()
        if path == "/keys":
            return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}
        if path == "/userinfo":
            return 200, {"sub": bytes.fromhex(authorization[7:]).decode(), **self.userinfo}
        if path != "/token":
            return 404, {}
        if self.token_status != 200:
            return self.token_status, {"error": "invalid_grant"}
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        assert pair == "podium:only-podium%2Fknows%3Athis", pair
        asked = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = _text(digest)
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "token_type": "Bearer",
            "access_token": asked["sub"].encode().hex(),
            "id_token": self.id_token(asked),
        }


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with alg none."""
    return ".".join([_part({**header, "alg": "none"}), _part(claims), ""])


def signed_with_public_key(provider: OwnProvider) -> Callable[..., str]:
    """The old trick: HMAC with what everybody knows, the public key."""

    def sign(header: dict[str, Any], claims: dict[str, Any]) -> str:
        signed = f"{_part({**header, 'alg': 'HS256'})}.{_part(claims)}"
        known = provider.keys[0].as_pem(private=False)
        return f"{signed}.{_text(hmac.digest(known, signed.encode(), 'sha256'))}"

    return sign


@contextlib.contextmanager
def own_provider(now_s: Callable[[], float] = time.time) -> Iterator[OwnProvider]:
    provider = OwnProvider(now_s)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer({name: value[0] for name, value in parse_qs(body.decode()).items()})

        def _answer(self, form: dict[str, str]) -> None:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            authorization = self.headers.get("Authorization", "")
            status, document = provider.answer(path, form, authorization)
            body = provider.raw.get(path) or json.dumps(document).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{provider.issuer}/elsewhere")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _part(document: dict[str, Any]) -> str:
    return _text(json.dumps(document).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
