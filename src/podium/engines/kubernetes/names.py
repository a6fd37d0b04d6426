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
STOP = f"{DOMAIN}/stop"  # annotation: Podium asked it to end
REMINDED = f"{DOMAIN}/reminded"  # annotation: when its kubelet was told again that it is deleted
WITHDRAWN = f"{DOMAIN}/withdrawn"  # annotation: why Podium took it back before it ran

KEPT = f"{DOMAIN}/end-not-recorded"
"""The finalizer of every pod: whoever deletes it, its end stays to be seen until it is recorded."""

CONTAINER = "work"
GPU = "nvidia.com/gpu"
MIG_PREFIX = "nvidia.com/mig-"
