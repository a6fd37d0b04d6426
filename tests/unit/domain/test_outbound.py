"""Addresses that nobody makes the server connect to, in every disguise."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.outbound import Outbound, OutboundError, check_host, outbound_read

PRIVATE = Outbound()
PUBLIC = Outbound(private=False)
LOOPBACK = outbound_read(["127.0.0.0/8", "::1"])
EVERYTHING = outbound_read(["0.0.0.0/0", "::/0"])


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1", "0.0.0.0", "::",
        "255.255.255.255", "fd00:ec2::254", "100.100.100.200", "168.63.129.16",
        "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
        "::169.254.169.254", "no address", "",
    ],
)  # fmt: skip
def test_never(address: str) -> None:
    for outbound in (PRIVATE, PUBLIC, LOOPBACK, EVERYTHING):
        assert outbound.refusal(address) is not None, address


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1",
     "2002:7f00:1::1", "240.0.0.1"],
)  # fmt: skip
def test_the_servers_own_machine_only_where_it_was_named(address: str) -> None:
    assert PRIVATE.refusal(address) is not None
    if address in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        assert LOOPBACK.refusal(address) is None


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.9", "172.16.0.1", "fd12::1", "100.64.0.1"]
)
def test_private_networks_as_the_operator_wants(address: str) -> None:
    assert PRIVATE.refusal(address) is None
    assert PUBLIC.refusal(address) is not None
    assert outbound_read([address], "public").refusal(address) is None


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_the_rest_of_the_world_is_open(address: str) -> None:
    assert PUBLIC.refusal(address) is None


@given(st.ip_addresses())
def test_no_disguise_opens_more(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if address.version == 4:
        why = PUBLIC.refusal(str(address))
        for other in (f"::ffff:{address}", f"64:ff9b::{address}"):
            if why is not None:
                assert PUBLIC.refusal(other) is not None
    elif address.is_loopback or address.is_link_local or address.is_multicast:
        assert PUBLIC.refusal(str(address)) is not None


@pytest.mark.parametrize(
    "host",
    ["metadata.google.internal", "METADATA.google.internal.", "metadata", "", "-oProxyCommand=x",
     "a b", "a/b", "a@b", "a\\b", "a#b", "instance-data"],
)  # fmt: skip
def test_names_of_no_host(host: str) -> None:
    with pytest.raises(OutboundError):
        check_host(host)


def test_settings_that_are_wrong_are_named() -> None:
    for networks, reach, word in ((["10.0.0.0/40"], "private", "10.0.0.0/40"), ([], "all", "all")):
        with pytest.raises(Exception, match=word):
            outbound_read(networks, reach)
