"""Roles, who has them where, and who may do what. Reached as `client.access`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.access import (
    AccessHolderView,
    ActionsView,
    BindingView,
    FoundPeopleView,
    FoundPersonView,
    KnownActionView,
    RolesView,
    RoleView,
)
from podium.spec.views.base import Page


class Access:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def who(
        self, action: str, *, project: str | None = None, team: str | None = None
    ) -> Iterator[AccessHolderView]:
        """Everybody who can do it there, with the roles by which they can."""
        params = {"action": action, "project": project, "team": team}
        yield from items(self._transport, Page[AccessHolderView], "/access", params=params)

    def people(self, text: str) -> Sequence[FoundPersonView]:
        """People whose name begins so, the first 20, for who gives roles somewhere. `text` has at
        least 2 letters."""
        return self._transport.fetch(FoundPeopleView, "/access/people", params={"q": text}).items

    def actions(self) -> Sequence[KnownActionView]:
        return self._transport.fetch(ActionsView, "/actions").items

    def roles(self) -> Sequence[RoleView]:
        return self._transport.fetch(RolesView, "/roles").items

    def role(self, name: str) -> RoleView:
        return self._transport.fetch(RoleView, path_of("roles", name))

    def set_role(self, name: str, actions: Sequence[str], *, description: str = "") -> RoleView:
        """Makes a role, or changes it for everybody who has it."""
        body = {"actions": list(actions), "description": description}
        answer = self._transport.send("PUT", path_of("roles", name), body=body)
        return self._transport.parse(RoleView, answer)

    def remove_role(self, name: str) -> None:
        """Raises ConflictError while somebody has it."""
        self._transport.send("DELETE", path_of("roles", name))

    def bindings(
        self,
        *,
        subject: str | None = None,
        subject_kind: str | None = None,
        role: str | None = None,
        level: str | None = None,
        target: str | None = None,
    ) -> Iterator[BindingView]:
        """Who has which role, in the places where you may see it."""
        params = {
            "subject": subject,
            "subject_kind": subject_kind,
            "role": role,
            "level": level,
            "target": target,
        }
        yield from items(self._transport, Page[BindingView], "/bindings", params=params)

    def give(
        self, role: str, subject: str, *, level: str, target: str = "", group: bool = False
    ) -> BindingView:
        """Gives a role to a person, service account or `group`, at the level `organisation`, or in
        the `team` or `project` that `target` names. Once more changes nothing."""
        body = {
            "subject_kind": "group" if group else "user",
            "subject": subject,
            "role": role,
            "level": level,
            "target": target,
        }
        answer = self._transport.send("POST", "/bindings", body=body, repeatable=True)
        return self._transport.parse(BindingView, answer)

    def take(self, binding_id: str) -> None:
        self._transport.send("DELETE", path_of("bindings", binding_id))
