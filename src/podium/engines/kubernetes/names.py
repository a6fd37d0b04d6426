"""What Podium writes on objects of Kubernetes, and how these are called. Read by kubectl users, so
these names never change."""

from __future__ import annotations

DOMAIN = "podium.io"
MANAGER = "podium"  # as a manager of fields, and as who made an object

OWNER = f"{DOMAIN}/owner"  # which Podium, where several share a cluster
ALLOCATION = f"{DOMAIN}/allocation"
WORKLOAD = f"{DOMAIN}/workload"
PROJECT = f"{DOMAIN}/project"
RANK = f"{DOMAIN}/rank"
GENERATION = f"{DOMAIN}/generation"  # the attempt that a pod is of
MANAGED_BY = "app.kubernetes.io/managed-by"
NAME = "app.kubernetes.io/name"

DEVICES = f"{DOMAIN}/devices"  # annotation: which devices of its node a pod was given
EXACT = "exact"  # the same as a label of a node, with this value: work is named its GPUs
COUNTED = "count"  # and what Podium says of all other nodes: their device plugins give GPUs
GPU_UUIDS = f"{DOMAIN}/gpu-uuids"  # annotation of such a node: its GPUs, in Podium's order
STOP = f"{DOMAIN}/stop"  # annotation: Podium asked it to end
REMINDED = f"{DOMAIN}/reminded"  # annotation: when its kubelet was told again that it is deleted
ADOPTED = f"{DOMAIN}/adopted-at"  # annotation: when Podium placed a pod that others submitted
ENDED = f"{DOMAIN}/ended"  # annotation: the allocation that such a pod was, and is recorded
REASON = f"{DOMAIN}/reason"  # annotation: why such a pod waits
WITHDRAWN = f"{DOMAIN}/withdrawn"  # annotation: why Podium took it back before it ran
ROOM = f"{DOMAIN}/room"  # annotation of a namespace: what was made in it
WANTED = f"{DOMAIN}/wanted"  # annotation: a digest of what Podium wanted of an object

QUEUE = f"{DOMAIN}/queue"  # label of pods that others submit, and the gate that holds them
GROUP = f"{DOMAIN}/group"  # on those: which of them start together
GROUP_SIZE = f"{DOMAIN}/group-size"  # and how many they are
PRIORITY = f"{DOMAIN}/priority"

KEPT = f"{DOMAIN}/end-not-recorded"
"""The finalizer of every pod: whoever deletes it, its end stays to be seen until it is recorded."""

CONTAINER = "work"
SOURCE = "source"  # the container that waits for code before it
VENDOR = "nvidia.com/"
GPU = f"{VENDOR}gpu"
MIG_PREFIX = f"{VENDOR}mig-"
