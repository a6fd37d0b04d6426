"""Makes the room of a project in a cluster what `tenancy.py` says, tells what others had changed,
and removes it. `engine.py` and `starts.py` share one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from podium.domain.errors import ConflictError, NotFoundError, PermanentError, TemporaryError
from podium.engines.contract import Drift, Tenant
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection, ForbiddenError
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.tenancy import (
    REGISTRIES,
    Piece,
    changed_fields,
    counts_parts,
    digest_of,
    room_of,
)
from podium.engines.kubernetes.view import ClusterView

Object = Mapping[str, Any]

_OVER = frozenset({"Succeeded", "Failed"})
_NAMESPACES = "/api/v1/namespaces"


class Rooms:
    """What stands is asked of the API server each time: nothing of it is remembered, but for which
    rooms there were."""

    def __init__(self, connection: Connection, view: ClusterView, site: ClusterSite) -> None:
        self._connection = connection
        self._view = view
        self._site = site
        self._tenants: dict[str, Tenant] = {}
        self._ready: set[str] = set()
        self._made: set[str] = set()
        self._untold: dict[str, Sequence[Drift]] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def projects(self) -> Sequence[str]:
        """Those that have a room of this Podium's."""
        found = await self._list(_NAMESPACES, labelSelector=f"{names.OWNER}={self._site.owner}")
        labels = [each["metadata"]["labels"] for each in found]
        return [each[names.PROJECT] for each in labels if names.PROJECT in each]

    async def ready(self, project: str) -> None:
        """Before its first pod. Raises as `keep`."""
        if project in self._ready:
            return
        async with self._turns[project]:
            if project not in self._ready:
                self._untold[project] = await self._put(project)

    def forget(self, project: str) -> None:
        """A pod found that it is gone."""
        self._ready.discard(project)

    async def keep(self, tenant: Tenant) -> Sequence[Drift]:
        """As the contract has it."""
        async with self._turns[tenant.project]:
            self._tenants[tenant.project] = tenant
            told = await self._put(tenant.project)
            return [*self._untold.pop(tenant.project, ()), *told]

    async def remove(self, project: str) -> bool:
        """As the contract has it."""
        path = f"{_NAMESPACES}/{self._site.namespace(project)}"
        async with self._turns[project]:
            namespace = await self._namespace(project)
            if namespace is None or _owner(namespace) != self._site.owner:
                self._drop(project)
                return True
            if namespace["metadata"].get("deletionTimestamp"):
                return False
            if any(_holds(pod) for pod in await self._list(f"{path}/pods")):
                return False
            self._drop(project)
            uid = {"preconditions": {"uid": namespace["metadata"]["uid"]}}
            try:
                await self._connection.delete(path, uid)
            except ConflictError as error:
                raise TemporaryError(error.message) from error
            return False

    def _drop(self, project: str) -> None:
        self._tenants.pop(project, None)
        self._untold.pop(project, None)
        self._ready.discard(project)
        self._made.discard(project)

    async def _put(self, project: str) -> Sequence[Drift]:
        tenant = self._tenants.get(project)
        parts = tenant is not None and counts_parts(self._view.nodes())
        pieces = room_of(project, self._site, tenant, parts=parts)
        path = pieces[0].path
        namespace = await self._namespace(project)
        if namespace is not None:
            foreign = await self._foreign(project, pieces[0], namespace)
            if foreign is not None:
                self._ready.add(project)
                return [foreign]
        known = frozenset(_known(namespace))
        told: list[Drift] = []
        if namespace is None and project in self._made:
            words = f"The namespace {self._site.namespace(project)} was removed with all in it."
            told.append(Drift(project=project, thing=pieces[0].thing, words=words))
        for each in pieces:
            before = namespace if each is pieces[0] else await self._before(each)
            drift = await self._lay(project, each, before, each.thing in known)
            if drift is not None:
                told.append(drift)
        registries = f"Secret {REGISTRIES}"
        if tenant is not None and not tenant.registries and registries in known:
            await self._connection.delete(f"{path}/secrets/{REGISTRIES}")
        told += await self._opened(project, path)
        lacking = {each.thing for each in told if not each.mended}
        made = {each.thing for each in pieces[1:]} - lacking
        await self._note(path, namespace, made | (known if tenant is None else frozenset()))
        self._ready.add(project)
        self._made.add(project)
        return told

    async def _lay(
        self, project: str, piece: Piece, before: Object | None, stood: bool
    ) -> Drift | None:
        """Apply it, and tell where it was not as Podium had left it."""
        try:
            after = msgspec.json.decode(await self._connection.apply(piece.path, piece.manifest))
            await self._strip(piece, after)
        except PermanentError as error:
            if not piece.beside:
                raise
            words = f"{piece.thing} could not be kept. {error.message}"
            return Drift(project=project, thing=piece.thing, words=words, mended=False)
        except ConflictError as error:
            raise TemporaryError(error.message) from error
        except NotFoundError as error:  # its namespace is on its way out
            raise TemporaryError(error.message) from error
        where = f"in the namespace {self._site.namespace(project)}"
        if before is None:
            if not stood or piece.manifest["kind"] == "Secret":
                return None
            words = f"{piece.thing} {where} was removed; it is there again."
            return Drift(project=project, thing=piece.thing, words=words)
        if digest_of(before) != digest_of(piece.manifest):
            return None  # Podium itself wants something else now
        fields = list(changed_fields(piece.manifest, before, after))
        fields += [f"spec.hard.{name}" for name in _added(piece, before)]
        if not fields:
            return None
        words = (
            f"{piece.thing} {where} was changed{_by(before)}: {', '.join(fields)}. It is as it was."
        )
        return Drift(project=project, thing=piece.thing, words=words)

    async def _before(self, piece: Piece) -> Object | None:
        """Secrets are written and never read."""
        if piece.manifest["kind"] == "Secret":
            return None
        try:
            found: Object = msgspec.json.decode(await self._connection.get(piece.path))
        except NotFoundError:
            return None
        except ForbiddenError:
            return None  # what stood is not to be seen: it is put right, and not told
        return found

    async def _strip(self, piece: Piece, after: Object) -> None:
        """What others add to a quota would stay, for it is theirs, and could keep all work out."""
        added = _added(piece, after)
        if added:
            change = {"spec": {"hard": dict.fromkeys(added)}}
            await self._connection.patch(piece.path, change)

    async def _foreign(self, project: str, piece: Piece, namespace: Object) -> Drift | None:
        """None where it is this Podium's, or may become so. Raises where Podium must not touch it,
        TemporaryError while it goes."""
        name, owner = self._site.namespace(project), _owner(namespace)
        if namespace["metadata"].get("deletionTimestamp"):
            raise TemporaryError(f"The namespace {name} is being deleted; it is made again after.")
        if owner == self._site.owner or digest_of(namespace) == digest_of(piece.manifest):
            return None  # also where somebody took its labels away
        labels = namespace["metadata"].get("labels", {})
        if not owner or labels.get(names.MANAGED_BY) != names.MANAGER:
            raise PermanentError(
                f"There is a namespace {name} in the cluster {self._site.cluster} that is not "
                f"Podium's, so no work of {project} starts there. Whoever runs the cluster can "
                f"give it to Podium: kubectl label namespace {name} "
                f"{names.OWNER}={self._site.owner}"
            )
        pods = await self._list(f"{piece.path}/pods", labelSelector=f"{names.OWNER}={owner}")
        if not any(_holds(pod) for pod in pods):
            return None  # of one that is gone, or has nothing here any more
        words = (
            f"The namespace {name} is kept by another Podium ({owner}), which has work in it: its "
            "limits and roles hold there, not those of this one."
        )
        return Drift(project=project, thing=f"Namespace {name}", words=words, mended=False)

    async def _opened(self, project: str, path: str) -> Sequence[Drift]:
        """Network policies add up: one of somebody else opens what Podium's keeps shut. It may be
        meant so; it stays, and is told."""
        policies = f"/apis/networking.k8s.io/v1{path.removeprefix('/api/v1')}/networkpolicies"
        try:
            found = await self._list(policies)
        except ForbiddenError:
            return []
        others = [
            each["metadata"]["name"]
            for each in found
            if each["metadata"].get("labels", {}).get(names.MANAGED_BY) != names.MANAGER
        ]
        where = f"in the namespace {self._site.namespace(project)}"
        return [
            Drift(
                project=project,
                thing=f"NetworkPolicy {name}",
                words=f"NetworkPolicy {name} {where} is not Podium's: it may open the project's "
                "pods to others. Remove it unless it is meant so.",
                mended=False,
            )
            for name in sorted(others)
        ]

    async def _note(self, path: str, before: Object | None, things: Collection[str]) -> None:
        """What was made, so that it is missed when it is gone. Last: nothing is missed that a
        server which was killed had not made yet."""
        made = ",".join(sorted(things))
        if before is None or made != ",".join(sorted(_known(before))):
            note = {"metadata": {"annotations": {names.ROOM: made}}}
            await self._connection.patch(path, note)

    async def _namespace(self, project: str) -> Object | None:
        name = self._site.namespace(project)
        found = await self._list(_NAMESPACES, fieldSelector=f"metadata.name={name}")
        kind = {"apiVersion": "v1", "kind": "Namespace"}  # which lists leave out of their items
        return kind | dict(found[0]) if found else None

    async def _list(self, path: str, **params: str) -> Sequence[Object]:
        answer = msgspec.json.decode(await self._connection.get(path, **params))
        items: Sequence[Object] = answer.get("items") or ()
        return items


def _owner(namespace: Object) -> str:
    return str(namespace["metadata"].get("labels", {}).get(names.OWNER, ""))


def _known(namespace: Object | None) -> Sequence[str]:
    if namespace is None:
        return ()
    said = namespace["metadata"].get("annotations", {}).get(names.ROOM, "")
    return [each for each in said.split(",") if each]


def _holds(pod: Object) -> bool:
    """Whether it may still run, or its end is not recorded."""
    ended = pod.get("status", {}).get("phase") in _OVER
    return not ended or names.KEPT in pod["metadata"].get("finalizers", ())


def _added(piece: Piece, live: Object) -> Sequence[str]:
    if piece.manifest["kind"] != "ResourceQuota":
        return ()
    hard = live.get("spec", {}).get("hard", {})
    return sorted(hard.keys() - piece.manifest["spec"]["hard"].keys())


def _by(live: Object) -> str:
    """With which program somebody last wrote it, as the API server noted."""
    others = [
        each
        for each in live["metadata"].get("managedFields", ())
        if each.get("manager") != names.MANAGER and "f:status" not in each.get("fieldsV1", {})
    ]
    if not others:
        return ""
    last = max(others, key=lambda each: each.get("time") or "")
    return f" with {last['manager']}"
