"""Projects and who works in them. Reached as `client.projects`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.domain.errors import FieldFault, UserError
from podium.spec.views.base import Page
from podium.spec.views.tenancy import MemberView, ProjectArchivedView, ProjectView

_NAMED_MAX = 10


class Projects:
    """`default` is the project that is meant when none is named."""

    def __init__(self, transport: Transport, default: str | None = None) -> None:
        self._transport = transport
        self.default = default

    def list(self, *, archived: bool = False) -> Iterator[ProjectView]:
        """By name; `archived` ones in place of the others."""
        params = {"archived": archived or None}
        yield from items(self._transport, Page[ProjectView], "/projects", params=params)

    def get(self, project: str) -> ProjectView:
        return self._transport.fetch(ProjectView, path_of("projects", project))

    def create(self, name: str, *, team: str, cost_centre: str = "") -> ProjectView:
        body = {"name": name, "team": team, "cost_centre": cost_centre}
        answer = self._transport.send("POST", "/projects", body=body)
        return self._transport.parse(ProjectView, answer)

    def change(
        self, project: str, *, cost_centre: str | None = None, team: str | None = None
    ) -> ProjectView:
        """None leaves a value; an empty cost centre means that of the team. Another `team` moves
        the project."""
        body = {"cost_centre": cost_centre, "team": team}
        answer = self._transport.send("PATCH", path_of("projects", project), body=body)
        return self._transport.parse(ProjectView, answer)

    def delete(self, project: str, *, force: bool = False) -> ProjectArchivedView:
        """Archives it; the record stays. Raises ConflictError, unless forced, for one with work,
        secrets or bookings to come."""
        params = {"force": force or None}
        answer = self._transport.send("DELETE", path_of("projects", project), params=params)
        return self._transport.parse(ProjectArchivedView, answer)

    def restore(self, project: str) -> ProjectView:
        """Takes an archived one back, without its roles, tokens and quota."""
        answer = self._transport.send("POST", path_of("projects", project, "restore"))
        return self._transport.parse(ProjectView, answer)

    def members(self, project: str) -> Iterator[MemberView]:
        path = path_of("projects", project, "members")
        yield from items(self._transport, Page[MemberView], path)

    def set_member(self, project: str, username: str, role: str) -> MemberView:
        """Adds a member, or changes what they are."""
        path = path_of("projects", project, "members", username)
        answer = self._transport.send("PUT", path, body={"role": role})
        return self._transport.parse(MemberView, answer)

    def remove_member(self, project: str, username: str) -> None:
        self._transport.send("DELETE", path_of("projects", project, "members", username))

    def resolve(self, project: str | None = None) -> str:
        """`project`, else the default, else the only one there is. Raises UserError."""
        if project or self.default:
            return project or self.default or ""
        seen = [view.name for view in islice(self.list(), _NAMED_MAX + 1)]
        if len(seen) == 1:
            return seen[0]
        if not seen:
            raise UserError(
                FieldFault(
                    "project",
                    "is not given, and you are a member of none.",
                    "Ask a lead to add you, or an administrator to create one.",
                )
            )
        named = ", ".join(sorted(seen)[:_NAMED_MAX]) + (" …" if len(seen) > _NAMED_MAX else "")
        raise UserError(
            FieldFault(
                "project",
                f"is not given, and you can see several: {named}.",
                "Add --project NAME, set PODIUM_PROJECT, or keep one with "
                "`podium project use NAME`.",
            )
        )
