"""Server addresses and sign-in links as people type them."""

from __future__ import annotations

import pytest

from podium.client.address import server_address, sign_in_link
from podium.domain.address import is_loopback
from podium.domain.errors import UserError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gpu1:8470", "http://gpu1:8470"),
        ("http://127.0.0.1:8470/", "http://127.0.0.1:8470"),
        ("https://Podium.Example.com", "https://podium.example.com"),
        ("https://example.com/podium/", "https://example.com/podium"),
        ("http://[::1]:8470", "http://[::1]:8470"),
        (" localhost ", "http://localhost"),
        ("http://a.example/x?y=1#z", "http://a.example/x"),
    ],
)
def test_addresses(written: str, meant: str) -> None:
    assert server_address(written) == meant
    assert server_address(meant) == meant


@pytest.mark.parametrize("written", ["", "ftp://x", "http://", "http://x:port", "http://x:99999"])
def test_what_is_no_address_is_refused_by_field(written: str) -> None:
    with pytest.raises(UserError) as raised:
        server_address(written)
    assert raised.value.faults[0].field == "server"


@pytest.mark.parametrize(
    ("link", "server", "ticket"),
    [
        ("http://127.0.0.1:8470/#ticket=abc", "http://127.0.0.1:8470", "abc"),
        ("https://p.example/#/?ticket=a-b_c", "https://p.example", "a-b_c"),
        ("abc", None, "abc"),
    ],
)
def test_sign_in_links(link: str, server: str | None, ticket: str) -> None:
    assert sign_in_link(link) == (server, ticket)


def test_loopback() -> None:
    assert is_loopback("http://127.0.0.1:8470")
    assert is_loopback("http://localhost")
    assert is_loopback("http://[::1]:1")
    assert not is_loopback("http://10.0.0.1")
    assert not is_loopback("http://localhost.example.com")
