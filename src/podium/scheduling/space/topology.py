"""Which place of a topology level a node stands in; packing and verify ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType

from podium.domain.node import Node
from podium.domain.resources import TopologyLevel

LEVELS = (TopologyLevel.NODE, TopologyLevel.NVLINK, TopologyLevel.RACK, TopologyLevel.BLOCK)
"""Smallest first. Where no NVLink domain has several nodes, one is the same as a node."""

Place = tuple[str, ...]

_NAME: Mapping[TopologyLevel, Callable[[Node], str]] = MappingProxyType(
    {
        TopologyLevel.NODE: attrgetter("name"),
        TopologyLevel.NVLINK: attrgetter("nvlink"),
        TopologyLevel.RACK: attrgetter("rack"),
        TopologyLevel.BLOCK: attrgetter("block"),
    }
)


def place_of(node: Node, level: TopologyLevel) -> Place:
    """The place of `level` that holds `node`; equal places are together at that level.

    A node that names no place of a level shares it with those of the next smaller one that it
    does name, so that one node is always inside one place of every level.
    """
    if level is TopologyLevel.BLOCK and node.block:
        return ("block", node.block)
    if level in (TopologyLevel.BLOCK, TopologyLevel.RACK) and node.rack:
        return ("rack", node.block, node.rack)
    if level is not TopologyLevel.NODE and node.nvlink:
        return ("nvlink", node.nvlink)
    return ("node", node.name)


def names_in(node: Node, levels: Iterable[TopologyLevel]) -> tuple[str, ...]:
    """What the node says of its places of these levels; empty text where it says nothing."""
    return tuple(_NAME[level](node) for level in levels)


def is_named(node: Node, level: TopologyLevel) -> bool:
    return bool(_NAME[level](node))


def outside_in(nodes: Iterable[Node]) -> tuple[TopologyLevel, ...]:
    """The levels above the node that nodes name, the largest places first. Of racks and NVLink
    domains those are larger of which there are fewer."""
    racks, domains, named = set(), set(), False
    for node in nodes:
        racks.add(place_of(node, TopologyLevel.RACK))
        domains.add(place_of(node, TopologyLevel.NVLINK))
        named = named or is_named(node, TopologyLevel.NVLINK)
    if not named:
        return TopologyLevel.BLOCK, TopologyLevel.RACK
    if len(racks) <= len(domains):
        return TopologyLevel.BLOCK, TopologyLevel.RACK, TopologyLevel.NVLINK
    return TopologyLevel.BLOCK, TopologyLevel.NVLINK, TopologyLevel.RACK
