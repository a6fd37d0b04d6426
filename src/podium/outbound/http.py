"""HTTP to addresses that people gave: each request, also a redirected one, is checked and goes to
the address that was checked. Called by webhooks and single sign-on."""

from __future__ import annotations

import asyncio
import ssl
import urllib.request

import httpx

from podium.domain.outbound import Outbound, check_host, is_address, refused
from podium.outbound.resolve import resolve

_PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Raises OutboundError and TemporaryError beside httpx's own errors."""

    def __init__(self, outbound: Outbound, verify: ssl.SSLContext, *, proxied: bool) -> None:
        self._outbound = outbound
        self._verify = verify
        self._proxies = urllib.request.getproxies() if proxied else {}
        self._proxy: httpx.AsyncHTTPTransport | None = None
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        proxy = self._proxies.get(url.scheme)
        if proxy is not None and not urllib.request.proxy_bypass(url.host):
            return await self._through(proxy, request)
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
        if self._proxy is not None:
            await self._proxy.aclose()

    async def _through(self, proxy: str, request: httpx.Request) -> httpx.Response:
        """The operator's proxy resolves the name, and decides what may be reached."""
        name = check_host(request.url.host)
        why = self._outbound.refusal(name)
        if why is not None and is_address(name):
            raise refused(name, why)
        self._proxy = self._proxy or httpx.AsyncHTTPTransport(
            verify=self._verify, trust_env=False, proxy=proxy
        )
        return await self._proxy.handle_async_request(request)


def guarded_client(
    outbound: Outbound,
    *,
    timeout_seconds: float = 10.0,
    verify: ssl.SSLContext | None = None,
    proxied: bool = False,
) -> httpx.AsyncClient:
    """Follows no redirects. `verify` takes the place of what the machine trusts; `proxied` goes
    through the proxy that the server's environment names, if any."""
    return httpx.AsyncClient(
        transport=GuardedTransport(outbound, verify or trust(), proxied=proxied),
        timeout=timeout_seconds,
        trust_env=False,
        follow_redirects=False,
    )


def trust(ca: str = "") -> ssl.SSLContext:
    """What servers are verified with. Raises ssl.SSLError for what is no certificate."""
    return ssl.create_default_context(cadata=ca) if ca else ssl.create_default_context()
