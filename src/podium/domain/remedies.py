"""What helps against each cause, for people: `explain` and the page of a workload show it below the
sentence that says what happened."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from podium.domain.reason import Cause
from podium.domain.secret import REGISTRIES

_REMEDIES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.COMMAND_NOT_FOUND: "Check its command, and that its image or node has it.",
        Cause.COMMAND_NOT_EXECUTABLE: "Begin the file with a line such as #!/bin/sh and make it "
        "executable, or name the interpreter in the command.",
        Cause.SOURCE_FAILED: "Check that the source can be had, and submit the work again.",
        Cause.IMAGE_FAILED: f"Check the name and tag of its image. What signs in to a private "
        f"registry belongs into the project's secret {REGISTRIES}; the nodes must be able to "
        "reach it.",
        Cause.VOLUME_MISSING: "Check that the claim, folder or export exists and that the node can "
        "reach it.",
        Cause.DATA_FAILED: "Check the data source and what opens it: podium data show NAME.",
        Cause.SECRET_MISSING: "Set the secret (podium secret set), and submit the work again.",
        Cause.OUT_OF_MEMORY: "Ask for more memory: resources.memory.",
        Cause.OUT_OF_DISK: "Write less beside the work's data sources, or write large files to one "
        "of them.",
        Cause.MAX_RUNTIME: "Give it a longer max_runtime, or let it save what it did so far.",
        Cause.START_FAILED: "Mend what the sentence names, and submit the work again; if it names "
        "the node, an operator has to look at it.",
        Cause.MISPLACED: "Nothing has to be done: Podium looks for another place.",
        Cause.NODE_LOST: "Nothing has to be done: it runs again elsewhere, from what it saved.",
        Cause.EVICTED: "It runs again by itself. Where this comes back, ask for as much memory as "
        "the work uses, so that its node keeps that free.",
        Cause.CLUSTER_QUOTA: "An operator of the cluster can raise the ResourceQuota of the "
        "namespace, or other work there has to end first.",
        Cause.CLUSTER_REFUSED: "An operator of the cluster has to allow it: the sentence names the "
        "rule.",
        Cause.LOST: "See whether someone deleted it on its node or in its cluster, and submit the "
        "work again.",
    }
)


def remedy_of(cause: Cause | None) -> str:
    """Empty where nothing is to be done about it that is worth a sentence."""
    return "" if cause is None else _REMEDIES.get(cause, "")
