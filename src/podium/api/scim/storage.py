"""Where the SCIM protocol reads and writes people and groups, in one transaction of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from scim2_models import (
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimFilter,
    SearchRequest,
    TooManyException,
)
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
)
from scim2_server.storage import ScimStorage, SearchPage

from podium.api.scim.models import Group, User
from podium.api.scim.rendering import group_resource, group_wish, person_wish, user_resource
from podium.intake.provisioning import Provisioning, group_found, person_found
from podium.store import directory
from podium.store.database import Transaction
from podium.store.directory import DirectoryGroup, DirectoryUser, Wanted

SCAN_MAX = 50_000
"""So many people or groups one search looks at when no index helps."""

_SLICE = 500


class DirectoryStorage(ScimStorage):
    """Of one request. `provisioning` is None for one that only reads."""

    def __init__(self, tx: Transaction, provisioning: Provisioning | None = None) -> None:
        self._tx = tx
        self._provisioning = provisioning

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        del response_parameters  # the version is of the whole, so all of it is read
        lock = self._provisioning is not None
        if resource_type.name == "User":
            return self._users([person_found(self._tx, resource_id, lock=lock)])[0]
        return self._groups([group_found(self._tx, resource_id, lock=lock)])[0]

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        del position  # cursors are not offered
        start = search_request.start_index_0 or 0
        count = search_request.count or 0
        scim_filter = search_request.filter
        total, page = 0, list[Resource[Any]]()
        for resource_type in resource_types:
            people = resource_type.name == "User"
            wanted, exact = _wanted(scim_filter, people=people)
            if exact and len(resource_types) == 1:
                return SearchPage(*self._page(wanted, start, count, people=people))
            for each in self._scan(wanted, people=people):
                if scim_filter is None or scim_filter.match(each):
                    if start <= total < start + count:
                        page.append(each)
                    total += 1
        return SearchPage(total, page)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        del resource_type  # the model says it
        if isinstance(resource, User):
            resource.active = resource.active is not False
            wish = person_wish(resource, active=True)
            return self._users([self._writing.person_create(wish)])[0]
        group = self._writing.group_create(group_wish(cast("Group", resource)))
        return self._groups([group])[0]

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        del resource_type  # the model says it
        resource_id = cast("str", resource.id)
        if isinstance(resource, User):
            person = person_found(self._tx, resource_id, lock=True)
            _check_version(self._users([person])[0], expected_version)
            wish = person_wish(resource, active=person.active)
            return self._users([self._writing.person_change(person, wish)])[0]
        group = group_found(self._tx, resource_id, lock=True)
        _check_version(self._groups([group])[0], expected_version)
        changed = self._writing.group_change(group, group_wish(cast("Group", resource)))
        return self._groups([changed])[0]

    def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        if resource_type.name == "User":
            person = person_found(self._tx, resource_id, lock=True)
            _check_version(self._users([person])[0], expected_version)
            self._writing.person_delete(person)
        else:
            group = group_found(self._tx, resource_id, lock=True)
            _check_version(self._groups([group])[0], expected_version)
            self._writing.group_delete(group)

    @property
    def _writing(self) -> Provisioning:
        assert self._provisioning is not None, "a request that reads writes nothing"
        return self._provisioning

    def _page(
        self, wanted: Wanted, start: int, count: int, *, people: bool
    ) -> tuple[int, list[Resource[Any]]]:
        tx = self._tx
        if people:
            found = directory.user_list(tx, wanted, limit=count, offset=start) if count else []
            return directory.user_count(tx, wanted), [*self._users(found)]
        groups = directory.group_list(tx, wanted, limit=count, offset=start) if count else []
        return directory.group_count(tx, wanted), [*self._groups(groups)]

    def _scan(self, wanted: Wanted, *, people: bool) -> Iterator[Resource[Any]]:
        count: Callable[[Transaction, Wanted], int] = (
            directory.user_count if people else directory.group_count
        )
        if count(self._tx, wanted) > SCAN_MAX:
            raise TooManyException(
                detail="Too many would have to be looked at. Search by userName, displayName, "
                "externalId or id with eq."
            )
        after = ""
        while True:
            found: list[Resource[Any]] = (
                [*self._users(directory.user_list(self._tx, wanted, limit=_SLICE, after=after))]
                if people
                else [
                    *self._groups(directory.group_list(self._tx, wanted, limit=_SLICE, after=after))
                ]
            )
            yield from found
            if len(found) < _SLICE:
                return
            after = found[-1].id or ""

    def _users(self, found: list[DirectoryUser]) -> list[User]:
        groups = directory.groups_of(self._tx, found)
        return [user_resource(each, groups[each.id]) for each in found]

    def _groups(self, found: list[DirectoryGroup]) -> list[Group]:
        members = directory.members_of(self._tx, found)
        return [group_resource(each, members[each.id]) for each in found]


def _check_version(resource: Resource[Any], expected: str | None) -> None:
    if expected is not None and resource.meta is not None and resource.meta.version != expected:
        raise PreconditionFailedException


def _wanted(scim_filter: ScimFilter[Any] | None, *, people: bool) -> tuple[Wanted, bool]:
    """What indexes can find of a filter, and whether that is all of it."""
    if scim_filter is None:
        return Wanted(), True
    found: dict[str, str] = {}
    exact = _narrow(scim_filter.ast, "username" if people else "displayname", found)
    return Wanted(**found), exact


def _narrow(node: FilterNode, name: str, found: dict[str, str]) -> bool:
    """Adds to `found` what must hold; True when it says the same as the node."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_:
        said = [_narrow(each, name, found) for each in node.terms]
        return all(said)
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq:
        return False
    key = {"id": "id", "externalid": "external_id", name: "name"}.get(_attribute(node.attr_path))
    if key is None or not isinstance(node.value, str) or not node.value or key in found:
        return False
    found[key] = node.value
    return True


def _attribute(path: AttrPath) -> str:
    return "" if path.sub_attr else path.attr.lower()
