"""Workloads: submit, find, watch, steer. Reached as `client.workloads`."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from podium.client import logs
from podium.client.logs import LogLine
from podium.client.paging import items
from podium.client.projects import Projects
from podium.client.streams import OPENED, stream
from podium.client.transport import Parameter, Transport, path_of
from podium.domain.errors import (
    FieldFault,
    PermanentError,
    TemporaryError,
    UserError,
)
from podium.domain.identity import is_id
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.workload import Kind
from podium.spec.views.base import Page
from podium.spec.views.workload import (
    ChangeView,
    EventView,
    ExplanationView,
    ReplicaView,
    SubmittedManyView,
    SubmittedView,
    UsageView,
    WorkloadDetailView,
    WorkloadView,
)

Spec = Mapping[str, Any] | BaseModel
"""A spec as a mapping with the fields of the YAML, or as a checked document."""

_ID_PREFIX = re.compile(r"w-[0-9a-z]{4,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which workloads are meant; what is left out does not narrow."""

    project: str | None = None
    states: Sequence[WorkloadState] = ()
    kinds: Sequence[Kind] = ()
    owner: str | None = None
    name: str | None = None
    labels: Sequence[str] = ()
    words: str | None = None
    oldest_first: bool = False

    def params(self) -> dict[str, Parameter]:
        return {
            "project": self.project,
            "state": [WorkloadState(state).value for state in self.states],
            "kind": [Kind(kind).value for kind in self.kinds],
            "owner": self.owner,
            "name": self.name,
            "label": list(self.labels),
            "q": self.words,
            "order": "oldest" if self.oldest_first else None,
        }

    def admits(self, view: WorkloadView) -> bool:
        """The same choice on this side, for live changes. `words` is left to the server."""
        labels = (label.partition("=") for label in self.labels)
        return (
            self.project in (None, view.project)
            and (not self.states or view.state in self.states)
            and (not self.kinds or view.kind in self.kinds)
            and self.owner in (None, view.owner)
            and self.name in (None, view.name)
            and all(view.labels.get(key) == value for key, _, value in labels)
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands in a stream of changes where some may be missing: read lists afresh."""


EVERYTHING = Filter()
GAP = Gap()


class Workloads:
    """`ref` is an id, the beginning of one, or a name in `project` (default: as for submits)."""

    def __init__(self, transport: Transport, projects: Projects) -> None:
        self._transport = transport
        self._projects = projects

    def submit(self, spec: Spec, *, idempotency_key: str | None = None) -> SubmittedView:
        """Stores the work as queued. Safe to repeat: a key is always sent. Raises UserError."""
        answer = self._transport.send(
            "POST",
            "/workloads",
            body=self._with_project(spec),
            headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
            repeatable=True,
            insistent=True,
        )
        return self._transport.parse(SubmittedView, answer)

    def submit_many(
        self, specs: Sequence[Spec], *, idempotency_key: str | None = None
    ) -> list[SubmittedView]:
        """At most 10,000, all or nothing; `depends_on` may name others of the same call. Safe to
        repeat, as `submit` is."""
        answer = self._transport.send(
            "POST",
            "/workloads/bulk",
            body={"workloads": [self._with_project(spec) for spec in specs]},
            headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
            repeatable=True,
            insistent=True,
        )
        return self._transport.parse(SubmittedManyView, answer).items

    def validate(self, spec: Spec) -> dict[str, Any]:
        """The spec with every default filled in; nothing is stored. Raises UserError."""
        answer = self._transport.send(
            "POST", "/workloads/validate", body=self._with_project(spec), repeatable=True
        )
        return cast("dict[str, Any]", answer.json()["resolved"])

    def list(
        self, where: Filter = EVERYTHING, *, limit: int | None = None
    ) -> Iterator[WorkloadView]:
        """Newest first, fetched as it is read."""
        yield from items(
            self._transport, Page[WorkloadView], "/workloads", params=where.params(), limit=limit
        )

    def page(
        self, where: Filter = EVERYTHING, *, limit: int = 100, cursor: str | None = None
    ) -> Page[WorkloadView]:
        params = {**where.params(), "limit": limit, "cursor": cursor}
        return self._transport.fetch(Page[WorkloadView], "/workloads", params)

    def get(self, ref: str, *, project: str | None = None) -> WorkloadDetailView:
        """Raises NotFoundError."""
        if is_id(ref):
            return self._fetch(ref, None)
        if _ID_PREFIX.fullmatch(ref):
            found = self._by_prefix(ref)
            if found is not None:
                return self._fetch(found, None)
        return self._fetch(ref, self._projects.resolve(project))

    def id_of(self, ref: str, *, project: str | None = None) -> str:
        """The id that `ref` stands for; an id costs no request."""
        return ref if is_id(ref) else self.get(ref, project=project).id

    def explain(self, ref: str, *, project: str | None = None) -> ExplanationView:
        return self._transport.fetch(ExplanationView, self._path(ref, project, "explain"))

    def usage(self, ref: str, *, project: str | None = None) -> UsageView:
        return self._transport.fetch(UsageView, self._path(ref, project, "usage"))

    def cancel(
        self, ref: str, *, reason: str | None = None, project: str | None = None
    ) -> WorkloadView:
        """Asks for its end; what has ended already stays as it is."""
        answer = self._transport.send(
            "POST",
            self._path(ref, project, "cancel"),
            body={"reason": reason} if reason else {},
            repeatable=True,
        )
        return self._transport.parse(WorkloadView, answer)

    def events(
        self, ref: str, *, project: str | None = None, limit: int | None = None
    ) -> Iterator[EventView]:
        """Its history, oldest first."""
        path = self._path(ref, project, "events")
        yield from items(self._transport, Page[EventView], path, limit=limit)

    def replicas(
        self, ref: str, *, project: str | None = None, limit: int | None = None
    ) -> Iterator[ReplicaView]:
        """By rank."""
        path = self._path(ref, project, "replicas")
        yield from items(self._transport, Page[ReplicaView], path, limit=limit)

    def logs(
        self,
        ref: str,
        *,
        rank: int | None = None,
        tail: int | None = None,
        timestamps: bool = False,
        project: str | None = None,
    ) -> str:
        """What it logged until now, as text."""
        workload_id = self.id_of(ref, project=project)
        return logs.read_text(
            self._transport, workload_id, rank=rank, tail=tail, timestamps=timestamps
        )

    def log_lines(
        self,
        ref: str,
        *,
        rank: int | None = None,
        tail: int | None = None,
        project: str | None = None,
    ) -> Iterator[LogLine]:
        """What it logged until now, line by line in the order of time."""
        workload_id = self.id_of(ref, project=project)
        if rank is not None:
            ranks = [rank]
        else:
            # Those that never started have no log.
            ranks = [r.rank for r in self.replicas(workload_id) if r.allocation_id is not None]
        yield from logs.read_lines(self._transport, workload_id, ranks=ranks, tail=tail)

    def follow_logs(
        self,
        ref: str,
        *,
        rank: int | None = None,
        tail: int | None = None,
        project: str | None = None,
    ) -> Iterator[LogLine]:
        """Yields lines as they come, until the work has ended; resumes after a break."""
        workload_id = self.id_of(ref, project=project)
        yield from logs.follow(self._transport, workload_id, rank=rank, tail=tail)

    def watch(
        self, ref: str | None = None, *, project: str | None = None, after: int | None = None
    ) -> Iterator[ChangeView]:
        """Yields changes as they happen, of one workload (until it ends) or of all visible ones.

        `after` is the `seq` of the last event that is known; without it, changes from now on.
        """
        for change in self.watch_with_gaps(ref, project=project, after=after):
            if isinstance(change, ChangeView):
                yield change

    def watch_with_gaps(
        self,
        ref: str | None = None,
        *,
        project: str | None = None,
        after: int | None = None,
        until: float | None = None,
    ) -> Iterator[ChangeView | Gap]:
        """As `watch`, with a Gap at each connection and wherever changes may have been missed.

        Whoever keeps a list reads it afresh at each Gap, and then misses nothing. Ends quietly
        at `until`, a time of `time.monotonic()`.
        """
        params: dict[str, Parameter] = {"after": after}
        if ref is None:
            path = "/workloads/stream"
            params["project"] = project
        else:
            path = self._path(ref, project, "stream")
        for event in stream(self._transport, path, params=params, until=until, announce=True):
            if event.event == "change":
                try:
                    change = ChangeView.model_validate_json(event.data)
                except ValidationError as error:
                    raise PermanentError("The server sent a change that cannot be read.") from error
                yield change
            elif event.event in (OPENED.event, "resync"):
                yield GAP

    def progress(
        self, ref: str, *, project: str | None = None, until: float | None = None
    ) -> Iterator[WorkloadView]:
        """Yields the workload as it is now and at each change, up to its end (or `until`)."""
        workload_id = self.id_of(ref, project=project)
        for change in self.watch_with_gaps(workload_id, until=until):
            if isinstance(change, ChangeView):
                view = change.workload
            else:
                view = self._fetch(workload_id, None)
            yield view
            if view.state in WORKLOAD_ENDS:
                return

    def wait(
        self, ref: str, *, timeout_seconds: float | None = None, project: str | None = None
    ) -> WorkloadDetailView:
        """Returns when it has ended, however it did. Raises TemporaryError at the timeout."""
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        view = self.get(ref, project=project)
        while view.state not in WORKLOAD_ENDS:
            if until is not None and time.monotonic() >= until:
                raise TemporaryError(
                    f"{view.name} has not ended after {timeout_seconds:g} s; it is {view.state}."
                )
            for _ in self.progress(view.id, until=until):
                pass
            view = self._fetch(view.id, None)
        return view

    def _fetch(self, ref: str, project: str | None) -> WorkloadDetailView:
        path = path_of("workloads", ref)
        return self._transport.fetch(WorkloadDetailView, path, {"project": project})

    def _path(self, ref: str, project: str | None, leaf: str) -> str:
        return path_of("workloads", self.id_of(ref, project=project), leaf)

    def _by_prefix(self, prefix: str) -> str | None:
        found = [
            view.id
            for view in islice(self.list(Filter(words=prefix), limit=500), 500)
            if view.id.startswith(prefix)
        ]
        if len(found) > 1:
            named = ", ".join(found[:5]) + (" …" if len(found) > 5 else "")
            raise UserError(
                FieldFault(
                    "ref", f"'{prefix}' begins several ids: {named}.", "Write more characters."
                )
            )
        return found[0] if found else None

    def _with_project(self, spec: Spec) -> dict[str, Any]:
        document = (
            spec.model_dump(mode="json", by_alias=True, exclude_none=True)
            if isinstance(spec, BaseModel)
            else dict(spec)
        )
        if document.get("project") is None:
            document["project"] = self._projects.resolve()
        return document
