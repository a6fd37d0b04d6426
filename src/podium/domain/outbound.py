"""Where the server may connect to for somebody: the guard against addresses that make it a way into
its own machine or its cloud's. Pure; `podium.outbound` resolves names and connects.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace

from podium.domain.errors import FieldFault, UserError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds tell their machines who they are, beside the link-local 169.254.169.254.
_METADATA = frozenset(
    ipaddress.ip_address(each)
    for each in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")


class OutboundError(UserError):
    """The server does not connect to that."""

    code = "outbound_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """`allowed` are networks that an operator named; they open loopback and private addresses, and
    nothing else. `private` opens all private networks, as private clusters have their hosts there.
    """

    allowed: tuple[Network, ...] = ()
    private: bool = True

    def refusal(self, address: str) -> str | None:
        """Why the server does not connect to an address, in words; None where it may."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return "is no address"
        for each in _meant(found):
            why = self._why_not(each)
            if why is not None:
                return why
        return None

    def names(self, address: str) -> bool:
        """Whether an operator named a network that has the address."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return all(self._named(each) for each in _meant(found))

    def opened(self, other: Outbound) -> Outbound:
        """With the networks that the other one names, too."""
        return replace(self, allowed=(*self.allowed, *other.allowed))

    def _why_not(self, address: Address) -> str | None:
        if address in _METADATA:
            return "is where a cloud tells secrets to its machines"
        if address.is_unspecified:
            return "is no address of a machine"
        if address.is_multicast or address == _BROADCAST:
            return "is not one machine"
        if address.is_link_local:
            return "is link-local"
        if self._named(address):
            return None
        if address.is_loopback:
            return "is this server's own machine"
        if address.is_reserved:
            return "is reserved"
        private = address.is_private or (address.version == 4 and address in _SHARED)
        if private and not self.private:
            return "is in a private network"
        return None

    def _named(self, address: Address) -> bool:
        return any(each.version == address.version and address in each for each in self.allowed)


def outbound_read(networks: Sequence[str], reach: str = "private") -> Outbound:
    """From the server's settings. Raises UserError, which names the option."""
    if reach not in ("private", "public"):
        raise UserError(FieldFault("outbound", f"is '{reach[:40]}'.", "Write private or public."))
    found: list[Network] = []
    for each in networks:
        try:
            found.append(ipaddress.ip_network(each.strip(), strict=False))
        except ValueError:
            raise UserError(
                FieldFault(
                    "allow_outbound",
                    f"'{each[:60]}' is no network.",
                    "Write it like 10.20.0.0/16 or 127.0.0.1.",
                )
            ) from None
    return Outbound(allowed=tuple(found), private=reach == "private")


def check_host(host: str) -> str:
    """The name as it is resolved: in lower case, without brackets and a last dot. Raises
    OutboundError for names of clouds' metadata services, and for what is no name."""
    name = host.strip("[]").rstrip(".").lower()
    if not name or name.startswith("-") or any(each in " /\\@?#'\"`$;|&<>" for each in name):
        raise refused(host, "is no name of a machine")
    if name in _METADATA_NAMES:
        raise refused(host, "is where a cloud tells secrets to its machines")
    return name


def is_address(host: str) -> bool:
    """Whether it is an address, and not a name to be resolved."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def refused(host: str, why: str) -> OutboundError:
    """The error that tells it."""
    return OutboundError(
        FieldFault(
            "address",
            f"{host[:100]} {why}, so the server does not connect to it.",
            "Name another host, or ask an operator about --allow-outbound of `podium up`.",
        )
    )


def _meant(address: Address) -> Sequence[Address]:
    """The address, and the one of version 4 that one of version 6 may stand for."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:  # reserved for just that
        return (low,)
    within = [address.sixtofour, *(address.teredo or ())]
    if address in _COMPATIBLE and int(address) > 1:
        within.append(low)
    return (address, *(each for each in within if each is not None))
