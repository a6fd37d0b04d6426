"""Which place of a topology level a node stands in; packing and verify ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType

from podium.domain.node import Node
from podium.domain.resources import CLUSTER_LABEL, Topology, TopologyLevel

LEVELS = (
    TopologyLevel.NODE,
    TopologyLevel.NVLINK,
    TopologyLevel.RACK,
    TopologyLevel.BLOCK,
    TopologyLevel.CLUSTER,
)
"""Smallest first. Where no NVLink domain has several nodes, one is the same as a node."""

Place = tuple[str, ...]


def cluster_of(node: Node) -> str:
    """Empty for the machines that are in none, which all reach each other."""
    return next((value for key, value in node.labels if key == CLUSTER_LABEL), "")


_NAME: Mapping[TopologyLevel, Callable[[Node], str]] = MappingProxyType(
    {
        TopologyLevel.NODE: attrgetter("name"),
        TopologyLevel.NVLINK: attrgetter("nvlink"),
        TopologyLevel.RACK: attrgetter("rack"),
        TopologyLevel.BLOCK: attrgetter("block"),
        TopologyLevel.CLUSTER: cluster_of,
    }
)


def place_of(node: Node, level: TopologyLevel) -> Place:
    """The place of `level` that holds `node`; equal places are together at that level.

    A node that names no place of a level shares it with those of the next smaller one that it
    does name, so that one node is always inside one place of every level.
    """
    if level is TopologyLevel.NODE:
        return ("node", node.name)
    cluster = cluster_of(node)
    if level is TopologyLevel.CLUSTER:
        return ("cluster", cluster)
    if level is TopologyLevel.BLOCK and node.block:
        return ("block", cluster, node.block)
    if level in (TopologyLevel.BLOCK, TopologyLevel.RACK) and node.rack:
        return ("rack", cluster, node.block, node.rack)
    if node.nvlink:
        return ("nvlink", cluster, node.nvlink)
    return ("node", node.name)


def several_clusters(nodes: Iterable[Node]) -> bool:
    """Whether there are nodes that do not reach each other."""
    return len({cluster_of(node) for node in nodes}) > 1


def within_reach(topology: Topology) -> Topology:
    """Where there are several clusters, a gang asks for this: its members have to meet."""
    return _WITHIN_REACH.get(topology, topology)


_WITHIN_REACH = {
    Topology(None, prefer): Topology(TopologyLevel.CLUSTER, prefer)
    for prefer in (None, *TopologyLevel)
}


def names_in(node: Node, levels: Iterable[TopologyLevel]) -> tuple[str, ...]:
    """What the node says of its places of these levels; empty text where it says nothing."""
    return tuple(_NAME[level](node) for level in levels)


def is_named(node: Node, level: TopologyLevel) -> bool:
    return level is TopologyLevel.CLUSTER or bool(_NAME[level](node))


def outside_in(nodes: Iterable[Node]) -> tuple[TopologyLevel, ...]:
    """The levels above the node that nodes name, the largest places first. Of racks and NVLink
    domains those are larger of which there are fewer."""
    racks, domains, clusters, named = set(), set(), set(), False
    for node in nodes:
        racks.add(place_of(node, TopologyLevel.RACK))
        domains.add(place_of(node, TopologyLevel.NVLINK))
        clusters.add(cluster_of(node))
        named = named or is_named(node, TopologyLevel.NVLINK)
    found = [TopologyLevel.BLOCK, TopologyLevel.RACK]
    if named:
        found.insert(2 if len(racks) <= len(domains) else 1, TopologyLevel.NVLINK)
    if len(clusters) > 1:
        found.insert(0, TopologyLevel.CLUSTER)
    return tuple(found)
