"""Which workloads are meant, for lists, streams and actions on many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from podium.client.transport import Parameter
from podium.domain.errors import FieldFault, UserError
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import WaitReason
from podium.domain.workload import Kind
from podium.spec.views.workload import WorkloadView


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which workloads are meant; what is left out does not narrow.

    `words` is part of a name or begins an id; `node` is where a replica is, or was last.
    """

    project: str | None = None
    states: Sequence[WorkloadState] = ()
    kinds: Sequence[Kind] = ()
    owner: str | None = None
    name: str | None = None
    labels: Sequence[str] = ()
    words: str | None = None
    node: str | None = None
    reasons: Sequence[WaitReason] = ()
    ended_since: datetime | None = None

    @property
    def everything(self) -> bool:
        """True when it narrows nothing."""
        return self == EVERYTHING

    def params(self) -> dict[str, Parameter]:
        since = self.ended_since
        return {**self._fields(), "ended_since": None if since is None else since.isoformat()}

    def selection(self) -> dict[str, Any]:
        """For an action on many. Raises UserError for `ended_since`, which an action has no use
        for: it is for what has not ended."""
        if self.ended_since is not None:
            raise UserError(FieldFault("ended_since", "has no place in an action."))
        fields = self._fields()
        return fields | {"project": [] if self.project is None else [self.project]}

    def admits(self, view: WorkloadView) -> bool:
        """The same choice on this side, for live changes. `words` and `node` are left to the
        server."""
        labels = (label.partition("=") for label in self.labels)
        waits_for = None if view.waiting is None else view.waiting.reason
        ended = view.ended_at
        return (
            self.project in (None, view.project)
            and (not self.states or view.state in self.states)
            and (not self.kinds or view.kind in self.kinds)
            and self.owner in (None, view.owner)
            and self.name in (None, view.name)
            and all(view.labels.get(key) == value for key, _, value in labels)
            and (not self.reasons or waits_for in self.reasons)
            and (self.ended_since is None or (ended is not None and ended >= self.ended_since))
        )

    def _fields(self) -> dict[str, Parameter]:
        return {
            "project": self.project,
            "state": [WorkloadState(state).value for state in self.states],
            "kind": [Kind(kind).value for kind in self.kinds],
            "owner": self.owner,
            "name": self.name,
            "label": list(self.labels),
            "q": self.words,
            "node": self.node,
            "reason": [WaitReason(reason).value for reason in self.reasons],
        }


EVERYTHING = Filter()
