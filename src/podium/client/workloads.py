"""Workloads: submit, find, watch, steer. Reached as `client.workloads`."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from podium.client import logs
from podium.client.curves import span_params
from podium.client.filters import EVERYTHING, Filter
from podium.client.logs import LogLine
from podium.client.paging import items, items_by_offset
from podium.client.projects import Projects
from podium.client.steering import ACTION_IDS_MAX, change_document, summed
from podium.client.streams import OPENED, stream
from podium.client.transport import Parameter, Transport, path_of
from podium.domain.errors import (
    FieldFault,
    PermanentError,
    TemporaryError,
    UserError,
)
from podium.domain.identity import is_id
from podium.domain.lifecycle import WORKLOAD_ENDS
from podium.spec.views.base import Page
from podium.spec.views.explain import DryRunsView, DryRunView, ExplanationView
from podium.spec.views.series import CurvesView
from podium.spec.views.workload import (
    ActionView,
    ChangeView,
    EventView,
    ReplicaView,
    SubmittedManyView,
    SubmittedView,
    UsageView,
    WorkloadDetailView,
    WorkloadPage,
    WorkloadSort,
    WorkloadView,
)

__all__ = ["EVERYTHING", "GAP", "Filter", "Gap", "Spec", "WorkloadSort", "Workloads"]

Spec = Mapping[str, Any] | BaseModel
"""A spec as a mapping with the fields of the YAML, or as a checked document."""

_PAGE = Page[WorkloadView]  # lists do without the total
_ID_PREFIX = re.compile(r"w-[0-9a-z]{4,15}")


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands in a stream of changes where some may be missing: read lists afresh."""


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

    def dry_run(self, spec: Spec) -> DryRunView:
        """What would become of it if it were submitted now; nothing is stored. Raises UserError."""
        answer = self._transport.send(
            "POST", "/workloads/dry-run", body=self._with_project(spec), repeatable=True
        )
        return self._transport.parse(DryRunsView, answer).items[0]

    def dry_run_many(self, specs: Sequence[Spec]) -> list[DryRunView]:
        """Of at most 50, each as if those before it were submitted; `depends_on` may name others of
        the same call."""
        answer = self._transport.send(
            "POST",
            "/workloads/dry-run",
            body={"workloads": [self._with_project(spec) for spec in specs]},
            repeatable=True,
        )
        return self._transport.parse(DryRunsView, answer).items

    def list(
        self,
        where: Filter = EVERYTHING,
        *,
        sort: WorkloadSort | str = WorkloadSort.SUBMITTED,
        ascending: bool = False,
        limit: int | None = None,
    ) -> Iterator[WorkloadView]:
        """Newest first, or in another order; fetched as it is read. What has no value to sort by
        comes last."""
        params = {**where.params(), **_order(sort, ascending)}
        path = "/workloads"
        if WorkloadSort(sort) is WorkloadSort.SUBMITTED:
            yield from items(self._transport, _PAGE, path, params=params, limit=limit)
        else:
            yield from items_by_offset(self._transport, _PAGE, path, params=params, limit=limit)

    def page(
        self,
        where: Filter = EVERYTHING,
        *,
        sort: WorkloadSort | str = WorkloadSort.SUBMITTED,
        ascending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        offset: int | None = None,
    ) -> WorkloadPage:
        """One page with how many match in all. A cursor goes only with the order of submission."""
        params = {**where.params(), **_order(sort, ascending)}
        params |= {"limit": limit, "cursor": cursor, "offset": offset}
        return self._transport.fetch(WorkloadPage, "/workloads", params)

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
        """Why it waits, who holds what it needs, and with which changes it would start now."""
        return self._transport.fetch(ExplanationView, self._path(ref, project, "explain"))

    def usage(self, ref: str, *, project: str | None = None) -> UsageView:
        return self._transport.fetch(UsageView, self._path(ref, project, "usage"))

    def curves(
        self,
        ref: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        points: int = 300,
        each: bool = False,
        project: str | None = None,
    ) -> CurvesView:
        """What it used over time: all replicas together or, with `each`, the first 16 each for
        itself. From its start to its end, or now, unless told otherwise."""
        params = {**span_params(since, until, points), "each": each}
        return self._transport.fetch(CurvesView, self._path(ref, project, "curves"), params)

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

    def change(
        self,
        ref: str,
        *,
        priority: int | str | None = None,
        max_runtime: str | float | timedelta | None = None,
        deadline: str | datetime | None = None,
        project: str | None = None,
    ) -> WorkloadView:
        """Gives it new values; what is left out stays. `"none"` takes a limit away.

        As in a spec: `priority` from 0 to 100 or a name such as `high`, `max_runtime` a duration,
        `deadline` a time with its zone, or a duration from now. Raises UserError, and
        ConflictError when it has ended.
        """
        answer = self._transport.send(
            "PATCH",
            path_of("workloads", self.id_of(ref, project=project)),
            body=change_document(priority, max_runtime, deadline),
            repeatable=True,
        )
        return self._transport.parse(WorkloadView, answer)

    def act(
        self,
        action: Literal["cancel", "change"],
        *,
        ids: Sequence[str] = (),
        where: Filter | None = None,
        priority: int | str | None = None,
        max_runtime: str | float | timedelta | None = None,
        deadline: str | datetime | None = None,
        reason: str = "",
    ) -> ActionView:
        """Cancels or changes many, each for itself: those of `ids`, or all that match `where` and
        have not ended (at most 10,000). Those that had ended count as unchanged."""
        body: dict[str, Any] = {"action": action, "reason": reason}
        if action == "change":
            body["change"] = change_document(priority, max_runtime, deadline)
        if where is not None:
            selections: list[dict[str, Any]] = [{**where.selection(), "ids": list(ids)}]
        else:
            pieces = range(0, max(1, len(ids)), ACTION_IDS_MAX)
            selections = [{"ids": list(ids[at : at + ACTION_IDS_MAX])} for at in pieces]
        return summed(
            self._transport.parse(
                ActionView,
                self._transport.send(
                    "POST",
                    "/workloads/actions",
                    body={**body, "selection": selection},
                    repeatable=True,
                ),
            )
            for selection in selections
        )

    def clone(self, ref: str, *, project: str | None = None, **changes: Any) -> SubmittedView:
        """Submits again what was submitted, under the same name, with some fields changed.

        `changes` are fields of the spec; None drops one. Raises UserError.
        """
        spec = self.clone_spec(ref, project=project) | changes
        return self.submit({key: value for key, value in spec.items() if value is not None})

    def clone_spec(self, ref: str, *, project: str | None = None) -> dict[str, Any]:
        """What `clone` submits when nothing is changed."""
        view = self.get(ref, project=project)
        return {**view.submitted_spec, "project": view.project}

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
        q: str | None = None,
        attempt: int | None = None,
        project: str | None = None,
    ) -> str:
        """What it logged until now, as text, in the order of time; with `q` only the lines that
        have it, in any case, and with `attempt` those of an earlier attempt."""
        workload_id = self.id_of(ref, project=project)
        return logs.read_text(
            self._transport,
            workload_id,
            rank=rank,
            tail=tail,
            timestamps=timestamps,
            q=q,
            attempt=attempt,
        )

    def log_lines(
        self,
        ref: str,
        *,
        rank: int | None = None,
        tail: int | None = None,
        q: str | None = None,
        attempt: int | None = None,
        project: str | None = None,
    ) -> Iterator[LogLine]:
        """What it logged until now, line by line in the order of time; with `q` only the lines
        that have it, in any case, and with `attempt` those of an earlier attempt."""
        workload_id = self.id_of(ref, project=project)
        if rank is not None:
            ranks = [rank]
        else:
            # Those that never started have no log.
            ranks = [r.rank for r in self.replicas(workload_id) if r.allocation_id is not None]
        yield from logs.read_lines(
            self._transport, workload_id, ranks=ranks, tail=tail, q=q, attempt=attempt
        )

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


def _order(sort: WorkloadSort | str, ascending: bool) -> dict[str, Parameter]:
    return {"sort": WorkloadSort(sort).value, "order": "up" if ascending else "down"}
