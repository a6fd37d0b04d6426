"""Which place of a topology level a node stands in; packing and verify ask."""

from __future__ import annotations

from podium.domain.node import Node
from podium.domain.resources import TopologyLevel

LEVELS = (TopologyLevel.NODE, TopologyLevel.RACK, TopologyLevel.BLOCK)
"""Smallest first. An NVLink domain is one node for now."""

Place = tuple[str, ...]


def smallest_named(level: TopologyLevel) -> TopologyLevel:
    """The member of `LEVELS` that `level` stands for."""
    return TopologyLevel.NODE if level is TopologyLevel.NVLINK else level


def place_of(node: Node, level: TopologyLevel) -> Place:
    """The place of `level` that holds `node`; equal places are together at that level.

    A node that names no rack or block shares that level with nobody but itself (or its rack), so
    that one node is always inside one place of every level.
    """
    if level is TopologyLevel.BLOCK and node.block:
        return ("block", node.block)
    if level in (TopologyLevel.BLOCK, TopologyLevel.RACK) and node.rack:
        return ("rack", node.block, node.rack)
    return ("node", node.name)
