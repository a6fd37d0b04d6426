"""HTTP to addresses that people gave: each request, also a redirected one, is checked and goes to
the address that was checked. Called by webhooks and single sign-on."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from podium.domain.outbound import Outbound
from podium.outbound.resolve import resolve

_PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Raises OutboundError and TemporaryError beside httpx's own errors."""

    def __init__(self, outbound: Outbound, verify: ssl.SSLContext) -> None:
        self._outbound = outbound
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or _PORTS[url.scheme]
        addresses = await asyncio.to_thread(resolve, self._outbound, url.host, port)
        last: httpx.ConnectError | None = None
        for address in addresses:
            # The Host header stands already; the certificate is checked against the name.
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": url.host},
            )
            try:
                response = await self._inner.handle_async_request(pinned)
            except httpx.ConnectError as error:
                last = error
                continue
            response.request = request
            return response
        assert last is not None, "a resolved name has an address"
        raise last

    async def aclose(self) -> None:
        await self._inner.aclose()


def guarded_client(
    outbound: Outbound, *, timeout_seconds: float = 10.0, ca: str = ""
) -> httpx.AsyncClient:
    """Follows no redirects and takes no proxy. `ca` are certificates (PEM) to trust in place of the
    machine's own."""
    return httpx.AsyncClient(
        transport=GuardedTransport(outbound, trust(ca)),
        timeout=timeout_seconds,
        trust_env=False,
        follow_redirects=False,
    )


def trust(ca: str = "") -> ssl.SSLContext:
    """What servers are verified with. Raises ssl.SSLError for what is no certificate."""
    return ssl.create_default_context(cadata=ca) if ca else ssl.create_default_context()
