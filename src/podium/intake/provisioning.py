"""What a directory tells of people and groups: made, changed, disabled and taken away here.
`api/scim` calls it inside the transaction of a request, so what it reads is what it changes.

A directory changes only whom it brought itself. It cannot take over an account or a group that was
there before, and the last administrator stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from podium.domain.errors import ConflictError, FieldFault, NotFoundError, UserError
from podium.domain.identity import name_suggestion
from podium.domain.provider import username_from
from podium.domain.rights import Action, SubjectKind
from podium.domain.tenancy import Group, Identity, User, UserSource
from podium.intake.bindings import check_administered
from podium.intake.office import Office
from podium.store import directory, roles, tokens, user_groups, users
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Transaction
from podium.store.directory import DirectoryGroup, DirectoryUser

NAME_CHARACTERS_MAX = 300
MEMBERS_MAX = 50_000
_TOLD_MAX = 100


class TakenError(ConflictError):
    """A name that must be unique belongs to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonWish:
    """What a directory says of a person. `document` is kept for it as it came."""

    user_name: str
    external_id: str = ""
    display_name: str = ""
    email: str = ""
    active: bool = True
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWish:
    """`members` are ids of people."""

    display_name: str
    external_id: str = ""
    members: frozenset[str] = frozenset()


class Provisioning:
    """The changes of one request. `changed` tells afterwards whether there were any."""

    def __init__(self, office: Office, identity: Identity, tx: Transaction) -> None:
        self._office = office
        self._identity = identity
        self._tx = tx
        self._now_ms = office.database.now_ms()
        self.changed = False
        roles.access_lock(tx)

    def person_create(self, wish: PersonWish) -> DirectoryUser:
        """Raises TakenError, and UserError for a name of no use."""
        tx = self._tx
        _check_name("userName", wish.user_name)
        self._check_free(wish.user_name, None)
        known = directory.user_deleted(tx, wish.user_name, wish.external_id)
        if known is not None:
            return self._person_revive(known, wish)
        stem = username_from(wish.user_name) or "user"
        person = DirectoryUser(
            id=self._office.ids.new("u"),
            username=directory.username_free(tx, stem),
            user_name=wish.user_name,
            external_id=wish.external_id,
            document=wish.document,
            created_at_ms=self._now_ms,
            updated_at_ms=self._now_ms,
            active=wish.active,
        )
        user = User(
            username=person.username,
            created_at_ms=self._now_ms,
            source=UserSource.SCIM,
            display_name=wish.display_name,
            email=wish.email,
            disabled_at_ms=None if wish.active else self._now_ms,
        )
        users.user_insert(tx, user, "")
        directory.user_insert(tx, person)
        self._tell("user:create", person.username, before=None, after=_told(person, user))
        return person

    def person_change(self, person: DirectoryUser, wish: PersonWish) -> DirectoryUser:
        """Raises TakenError, UserError, and ConflictError for the last administrator."""
        tx = self._tx
        _check_name("userName", wish.user_name)
        self._check_free(wish.user_name, person.id)
        user = users.user_fetch(tx, person.username)
        after = replace(
            person,
            user_name=wish.user_name,
            external_id=wish.external_id,
            document=wish.document,
            active=wish.active,
        )
        disabled_at_ms = None if wish.active else user.disabled_at_ms or self._now_ms
        changed = replace(
            user,
            display_name=wish.display_name,
            email=wish.email,
            source=UserSource.SCIM,
            disabled_at_ms=disabled_at_ms,
        )
        if after == person and changed == user:
            return person
        after = replace(after, updated_at_ms=self._now_ms)
        directory.user_update(tx, after)
        self._user_set(changed)
        if person.active and not wish.active:
            tokens.token_delete_all(tx, person.username)
            check_administered(tx)
        self._tell(
            "user:change",
            person.username,
            before=_told(person, user),
            after=_told(after, changed),
        )
        return after

    def person_delete(self, person: DirectoryUser) -> None:
        """The account stays for what it did, disabled and without any right. Raises ConflictError
        for the last administrator."""
        tx = self._tx
        user = users.user_fetch(tx, person.username)
        groups = user_groups.groups_of(tx, person.username)
        bound = [each for each in roles.bindings_of(tx, person.username)
                 if each.subject_kind is SubjectKind.USER]  # fmt: skip
        for group in groups:
            user_groups.member_drop(tx, group, person.username)
        roles.binding_delete_of(tx, SubjectKind.USER, person.username)
        tokens.token_delete_all(tx, person.username)
        users.user_change(tx, person.username, disabled_at_ms=user.disabled_at_ms or self._now_ms)
        directory.user_delete(tx, person.id, self._now_ms)
        check_administered(tx)
        self._tell(
            "user:delete",
            person.username,
            before={
                **_told(person, user),
                "groups": sorted(groups)[:_TOLD_MAX],
                "bindings": [f"{each.role} {each.level}:{each.target}" for each in bound],
            },
            after=None,
        )

    def group_create(self, wish: GroupWish) -> DirectoryGroup:
        """Raises TakenError where there is such a group that no directory keeps, and UserError."""
        tx = self._tx
        _check_name("displayName", wish.display_name)
        name = name_suggestion(wish.display_name)
        there = user_groups.group_find(tx, name)
        if there is not None and there.source is not UserSource.SCIM:
            raise TakenError(
                f"There is already a group {name} that this directory does not keep. Remove it "
                "here, or give the group of the directory another name."
            )
        group = DirectoryGroup(
            id=self._office.ids.new("g"),
            group=directory.group_name_free(tx, name),
            display_name=wish.display_name,
            external_id=wish.external_id,
            created_at_ms=self._now_ms,
            updated_at_ms=self._now_ms,
        )
        user_groups.group_insert(
            tx, Group(name=group.group, source=UserSource.SCIM, created_at_ms=self._now_ms)
        )
        directory.group_insert(tx, group)
        joined, _ = self._members_set(group, wish.members)
        self._tell(
            "group:create",
            group.group,
            before=None,
            after={"display_name": group.display_name, "external_id": group.external_id},
            **_counted("joined", joined),
        )
        return group

    def group_change(self, group: DirectoryGroup, wish: GroupWish) -> DirectoryGroup:
        """Its name here stays, as bindings name it. Raises UserError, and ConflictError where
        nobody would be left to administer."""
        _check_name("displayName", wish.display_name)
        after = replace(group, display_name=wish.display_name, external_id=wish.external_id)
        joined, left = self._members_set(group, wish.members)
        if after == group and not joined and not left:
            return group
        after = replace(after, updated_at_ms=self._now_ms)
        directory.group_update(self._tx, after)
        if left:
            check_administered(self._tx)
        self._tell(
            "group:change",
            group.group,
            before={"display_name": group.display_name, "external_id": group.external_id},
            after={"display_name": after.display_name, "external_id": after.external_id},
            **_counted("joined", joined),
            **_counted("left", left),
        )
        return after

    def group_delete(self, group: DirectoryGroup) -> None:
        """With the roles that were bound to it. Raises ConflictError where nobody would be left to
        administer."""
        members = directory.members_of(self._tx, [group])[group.id]
        user_groups.group_delete(self._tx, group.group)
        check_administered(self._tx)
        self._tell(
            "group:delete",
            group.group,
            before={"display_name": group.display_name, "external_id": group.external_id},
            after=None,
            **_counted("left", [name for _, name in members]),
        )

    def _person_revive(self, known: DirectoryUser, wish: PersonWish) -> DirectoryUser:
        """Somebody who comes back gets their account and their work back, but no role: those that
        they had are gone."""
        user = users.user_fetch(self._tx, known.username)
        after = replace(
            known,
            user_name=wish.user_name,
            document=wish.document,
            updated_at_ms=self._now_ms,
            active=wish.active,
        )
        changed = replace(
            user,
            display_name=wish.display_name,
            email=wish.email,
            disabled_at_ms=None if wish.active else user.disabled_at_ms or self._now_ms,
        )
        directory.user_update(self._tx, after)
        self._user_set(changed)
        self._tell(
            "user:restore", known.username, before=_told(known, user), after=_told(after, changed)
        )
        return after

    def _user_set(self, user: User) -> None:
        users.user_change(
            self._tx,
            user.username,
            display_name=user.display_name,
            email=user.email,
            source=user.source.value,
            disabled_at_ms=user.disabled_at_ms,
        )

    def _check_free(self, user_name: str, own_id: str | None) -> None:
        there = directory.user_named(self._tx, user_name)
        if there is not None and there.id != own_id:
            raise TakenError(f"There is already a user {user_name} in this directory.")

    def _members_set(
        self, group: DirectoryGroup, wanted: Collection[str]
    ) -> tuple[list[str], list[str]]:
        """Who joined and who left."""
        tx = self._tx
        if len(wanted) > MEMBERS_MAX:
            raise UserError(
                FieldFault("members", f"are more than {MEMBERS_MAX:,}.", "Split the group.")
            )
        known = directory.users_of_ids(tx, wanted)
        missing = sorted(set(wanted) - known.keys())
        if missing:
            raise UserError(
                FieldFault(
                    "members",
                    f"name {missing[0]}, which is no user of this directory.",
                    "Send the user first; groups in groups are not kept.",
                )
            )
        there = dict(directory.members_of(tx, [group])[group.id])
        joined = [known[each] for each in sorted(known.keys() - there.keys())]
        gone = directory.users_of_ids(tx, there.keys() - known.keys())
        left = [gone[each] for each in sorted(gone)]
        for username in joined:
            user_groups.member_drop(tx, group.group, username)  # whoever else put them in
            user_groups.member_add(tx, group.group, username, UserSource.SCIM)
        for username in left:
            user_groups.member_drop(tx, group.group, username, UserSource.SCIM)
        return joined, left

    def _tell(self, operation: str, subject: str, **detail: object) -> None:
        self.changed = True
        entry = AuditEntry(
            actor=self._identity.username,
            action=Action.DIRECTORY_WRITE,
            subject=subject,
            detail={"operation": operation, **detail},
        )
        audit_append(self._tx, [entry], self._now_ms)


def person_found(tx: Transaction, user_id: str, *, lock: bool = False) -> DirectoryUser:
    """Raises NotFoundError."""
    person = directory.user_find(tx, user_id, lock=lock)
    if person is None:
        raise NotFoundError(f"There is no user {user_id[:64]} in this directory.")
    return person


def group_found(tx: Transaction, group_id: str, *, lock: bool = False) -> DirectoryGroup:
    """Raises NotFoundError."""
    group = directory.group_find(tx, group_id, lock=lock)
    if group is None:
        raise NotFoundError(f"There is no group {group_id[:64]} in this directory.")
    return group


def _check_name(field: str, name: str) -> None:
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        wrong = (
            f"is longer than {NAME_CHARACTERS_MAX} characters."
            if len(name) > NAME_CHARACTERS_MAX
            else "is empty, or holds characters that cannot be shown."
        )
        raise UserError(FieldFault(field, wrong, "Write it like ada@example.com."))


def _told(person: DirectoryUser, user: User) -> dict[str, object]:
    return {
        "user_name": person.user_name,
        "external_id": person.external_id,
        "display_name": user.display_name,
        "email": user.email,
        "active": user.disabled_at_ms is None,
    }


def _counted(word: str, names: list[str]) -> dict[str, object]:
    """Some of the names and how many there are, where there are any."""
    if not names:
        return {}
    return {word: names[:_TOLD_MAX], f"{word}_count": len(names)}
