"""Data sources and their grants, as those who keep them set them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from podium.domain.data import DataSource, Grant, GranteeKind, SourceKind, source_id
from podium.domain.errors import ConflictError, FieldFault, NotFoundError, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.outbound import OutboundError, check_host, is_address
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.spec.views.data import DataSourceRequest
from podium.store import data_sources, projects
from podium.store.audit import AuditEntry
from podium.store.data_exposure import exposed_note
from podium.store.database import Transaction
from podium.store.secrets import secret_names

HINTS = ("schedule",)
"""Who has to look again after a change."""

GRANTS_MAX = 1000
_REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OPTION = re.compile(
    r"(vers|nfsvers)=(3|4|4\.0|4\.1|4\.2)|proto=(tcp|tcp6|rdma)|(rsize|wsize|timeo|retrans|nconnect"
    r"|acregmin|acregmax)=[0-9]{1,8}|sec=(sys|krb5|krb5i|krb5p)|soft|hard|noatime|nolock"
)
_FIELDS: Mapping[SourceKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    SourceKind.FOLDER: (("path",), ()),
    SourceKind.NFS: (("server", "export"), ("options",)),
    SourceKind.S3: (("endpoint", "bucket"), ("prefix", "region", "secret", "secret_project")),
    SourceKind.PVC: (("claim",), ("namespace",)),
}
"""What a location must have, and what it may have."""


async def source_set(
    office: Office, identity: Identity, project: str, name: str, request: DataSourceRequest
) -> DataSource:
    """Make a source, or change it. `project` is empty for the organisation's. A project's lead sets
    up object storage with the project's own credentials, and may make a class stricter; a path of
    the cluster's machines and a less strict class are for administrators of the organisation.
    Raises UserError with every field that is wrong."""
    authorise(identity, Action.DATA_ADMINISTER, project or None)
    if request.kind is not SourceKind.S3:
        authorise(identity, Action.DATA_ADMINISTER)
    faults = list(_name_faults(name))
    faults += _region_faults(request.regions)
    location: dict[str, str] = {}
    try:
        location = _location(office, project, request)
    except UserError as error:
        faults += error.faults
    now_ms = office.database.now_ms()
    source = DataSource(
        id=source_id(project, name),
        name=name,
        project=project,
        kind=request.kind,
        location=location,
        classification=request.classification,
        regions=tuple(sorted(set(request.regions))),
        description=request.description.strip(),
        updated_at_ms=now_ms,
        updated_by=identity.username,
    )

    def write(tx: Transaction) -> AuditEntry:
        if project:
            projects.project_fetch(tx, identity.known, project)
        found = [*faults, *_secret_faults(tx, source)]
        if found:
            raise UserError(*found)
        before = data_sources.source_fetch(tx, source.id)
        if before is not None and before.classification.rank > source.classification.rank:
            authorise(identity, Action.DATA_ADMINISTER)
        data_sources.source_put(tx, source)
        exposed_note(tx, now_ms, identity.username)
        return _entry(identity, source, before, source)

    await told(office, write)
    office.hints.wake(*HINTS)
    return source


async def source_remove(office: Office, identity: Identity, project: str, name: str) -> None:
    """Work that asks for it waits from now on; what has it mounted goes on. Raises NotFoundError,
    and ConflictError while work that has not ended asks for it."""
    authorise(identity, Action.DATA_ADMINISTER, project or None)

    def write(tx: Transaction) -> AuditEntry:
        before = _standing(tx, project, name)
        users = data_sources.source_users(tx, before.id)
        if users:
            raise ConflictError(
                f"{len(users)} workload{'s' if len(users) > 1 else ''} that did not end ask for "
                f"{before.id}, such as {users[0]}. Cancel them first."
            )
        data_sources.source_delete(tx, before.id)
        return _entry(identity, before, before, None)

    await told(office, write)
    office.hints.wake(*HINTS)


async def grant_set(
    office: Office, identity: Identity, project: str, name: str, grant: Grant
) -> None:
    """Let a project, team or person use it. Raises UserError and NotFoundError."""
    authorise(identity, Action.DATA_GRANT, project or None)

    def write(tx: Transaction) -> AuditEntry:
        source = _standing(tx, project, name)
        if not data_sources.grantee_exists(tx, grant.kind, grant.name):
            message = f"There is no {grant.kind} {grant.name}."
            raise UserError(FieldFault(grant.kind.value, message, "Look at the name."))
        if len(source.grants) >= GRANTS_MAX:
            raise UserError(FieldFault("grants", f"are {GRANTS_MAX}, the most that there may be."))
        data_sources.grant_set(tx, source.id, grant)
        return _grant_entry(identity, source, grant, after={"write": grant.write})

    await told(office, write)
    office.hints.wake(*HINTS)


async def grant_remove(
    office: Office, identity: Identity, project: str, name: str, kind: GranteeKind, who: str
) -> None:
    """Work that has it mounted goes on; what waits or starts again does not get it. Raises
    NotFoundError."""
    authorise(identity, Action.DATA_GRANT, project or None)

    def write(tx: Transaction) -> AuditEntry:
        source = _standing(tx, project, name)
        if not data_sources.grant_remove(tx, source.id, kind, who):
            raise NotFoundError(f"{source.id} is not granted to {kind} {who}.")
        return _grant_entry(identity, source, Grant(kind, who), after=None)

    await told(office, write)
    office.hints.wake(*HINTS)


def _standing(tx: Transaction, project: str, name: str) -> DataSource:
    found = data_sources.source_fetch(tx, source_id(project, name))
    if found is None:
        raise NotFoundError(f"There is no data source {source_id(project, name)} that you can see.")
    return found


def _name_faults(name: str) -> Iterator[FieldFault]:
    wrong = name_fault(name)
    if wrong is not None:
        yield FieldFault("name", f"{wrong}.", f"Try '{name_suggestion(name)}'.")


def _region_faults(regions: list[str]) -> Iterator[FieldFault]:
    for index, each in enumerate(regions):
        if _REGION.fullmatch(each) is None:
            message = f"is '{each[:60]}', which is not a region's name."
            yield FieldFault(f"regions.{index}", message, "Write it like eu-central.")


def _secret_faults(tx: Transaction, source: DataSource) -> Iterator[FieldFault]:
    name, place = source.location.get("secret"), secret_project(source)
    if source.kind is SourceKind.S3 and name and not secret_names(tx, place, [name]):
        message = f"project {place} has no secret '{name}'."
        remedy = f"Set it to KEY_ID:KEY with: podium secret set {name} --project {place}"
        yield FieldFault("location.secret", message, remedy)


def secret_project(source: DataSource) -> str:
    """Whose secret has its credentials."""
    return source.project or source.location.get("secret_project", "")


def _location(office: Office, project: str, request: DataSourceRequest) -> dict[str, str]:
    """As it is kept. Raises UserError."""
    needed, allowed = _FIELDS[request.kind]
    given = {key: value.strip() for key, value in request.location.items() if value.strip()}
    faults = [
        FieldFault(f"location.{key}", "is missing.", f"A source of kind {request.kind} has one.")
        for key in needed
        if key not in given
    ]
    faults += [
        FieldFault(
            f"location.{key[:40]}",
            f"is not a field of kind {request.kind}.",
            f"It has {', '.join((*needed, *allowed))}.",
        )
        for key in given
        if key not in needed and key not in allowed
    ]
    faults += [
        FieldFault(f"location.{key}", "is too long, or has characters that cannot be printed.")
        for key, value in given.items()
        if len(value) > 1024 or not value.isprintable()
    ]
    if faults:
        raise UserError(*faults)
    return _READ[request.kind](office, project, given)


def _folder(office: Office, _project: str, given: Mapping[str, str]) -> dict[str, str]:
    written = given["path"]
    if not written.startswith("/"):
        raise UserError(FieldFault("location.path", "is not a whole path.", "Begin it with '/'."))
    if not office.data_roots:
        raise UserError(
            FieldFault(
                "location.path",
                "cannot be used: this server offers no folders.",
                "Start it with --data-root PATH for the folder that sources may be in.",
            )
        )
    real = Path(os.path.realpath(written))
    root = next((each for each in office.data_roots if real == each or each in real.parents), None)
    if root is None:
        roots = ", ".join(map(str, office.data_roots))
        raise UserError(
            FieldFault(
                "location.path",
                f"is {written}, which is outside of the folders that sources may be in.",
                f"Choose one in {roots}; a link that leads out of it does not count.",
            )
        )
    try:
        there = real.is_dir()
    except OSError:
        there = False
    if not there:
        message = f"is {written}, where this server finds no folder that it may read."
        raise UserError(FieldFault("location.path", message, "Make it, or look at its rights."))
    return {"path": str(real), "root": str(root)}


def _nfs(office: Office, _project: str, given: Mapping[str, str]) -> dict[str, str]:
    faults = list(_host_faults(office, "location.server", given["server"]))
    export = given["export"]
    if not export.startswith("/") or ".." in export.split("/") or "," in export:
        message = f"is '{export[:100]}', which is not the path of an export."
        faults.append(FieldFault("location.export", message, "Write it like /export/scans."))
    options = [each for each in given.get("options", "").split(",") if each]
    wrong = [each for each in options if _OPTION.fullmatch(each) is None]
    if wrong:
        message = f"has '{wrong[0][:60]}', which may not be set."
        remedy = "Known are vers, proto, rsize, wsize, timeo, retrans, nconnect, sec, soft, hard."
        faults.append(FieldFault("location.options", message, remedy))
    if faults:
        raise UserError(*faults)
    return {**given, "options": ",".join(options)}


def _s3(office: Office, project: str, given: Mapping[str, str]) -> dict[str, str]:
    faults: list[FieldFault] = []
    try:
        url = urlsplit(given["endpoint"])
        plain = not (url.username or url.password or url.query or url.fragment)
        sound = url.scheme in ("http", "https") and bool(url.hostname) and plain
        sound = sound and url.path in ("", "/") and (url.port or 1) > 0
    except ValueError:
        sound = False
    if not sound:
        remedy = "Write it like https://s3.example.com, without a path or credentials."
        faults.append(FieldFault("location.endpoint", "is not the address of a server.", remedy))
    else:
        faults += _host_faults(office, "location.endpoint", str(url.hostname))
    if _BUCKET.fullmatch(given["bucket"]) is None:
        message = f"is '{given['bucket'][:80]}', which is not a bucket's name."
        remedy = "3 to 63 lower-case letters, digits, dots and hyphens."
        faults.append(FieldFault("location.bucket", message, remedy))
    prefix = given.get("prefix", "").strip("/")
    if any(each in ("", ".", "..") for each in PurePosixPath(prefix).parts) or ".." in prefix:
        message = "goes through '.' or '..'."
        faults.append(FieldFault("location.prefix", message, "Write the prefix without it."))
    if project and given.get("secret_project"):
        message = "is for sources of the organisation; this one uses its own project's."
        faults.append(FieldFault("location.secret_project", message, "Leave it out."))
    if not project and given.get("secret") and not given.get("secret_project"):
        message = "is missing: the organisation itself has no secrets."
        remedy = "Name the project that has the secret."
        faults.append(FieldFault("location.secret_project", message, remedy))
    if faults:
        raise UserError(*faults)
    return {**given, "endpoint": given["endpoint"].rstrip("/"), "prefix": prefix}


def _pvc(_office: Office, _project: str, given: Mapping[str, str]) -> dict[str, str]:
    for key, value in given.items():
        if _REGION.fullmatch(value) is None:
            message = f"is '{value[:60]}', which Kubernetes does not take as a name."
            raise UserError(FieldFault(f"location.{key}", message, "Write it like scans-claim."))
    return dict(given)


_READ: Mapping[SourceKind, Callable[[Office, str, Mapping[str, str]], dict[str, str]]] = {
    SourceKind.FOLDER: _folder,
    SourceKind.NFS: _nfs,
    SourceKind.S3: _s3,
    SourceKind.PVC: _pvc,
}


def _host_faults(office: Office, field: str, host: str) -> Iterator[FieldFault]:
    """What can be said without asking the network; whoever connects resolves and checks again."""
    try:
        name = check_host(host)
    except OutboundError as error:
        yield FieldFault(field, error.faults[0].message, error.faults[0].remedy)
        return
    why = office.outbound.refusal(name) if is_address(name) else None
    if why is not None:
        remedy = "Name another host, or ask an operator about --allow-outbound of `podium up`."
        yield FieldFault(field, f"{name} {why}, so the server does not connect to it.", remedy)


def _entry(
    identity: Identity, source: DataSource, before: DataSource | None, after: DataSource | None
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.DATA_ADMINISTER,
        subject=source.id,
        project=source.project or None,
        detail={"before": _said(before), "after": _said(after)},
    )


def _said(source: DataSource | None) -> dict[str, object] | None:
    if source is None:
        return None
    return {
        "kind": source.kind.value,
        "location": dict(source.location),
        "classification": source.classification.value,
        "regions": list(source.regions),
        "description": source.description,
    }


def _grant_entry(
    identity: Identity, source: DataSource, grant: Grant, after: dict[str, object] | None
) -> AuditEntry:
    stood = next(
        (each for each in source.grants if (each.kind, each.name) == (grant.kind, grant.name)), None
    )
    return AuditEntry(
        actor=identity.username,
        action=Action.DATA_GRANT,
        subject=source.id,
        project=source.project or None,
        detail={
            "right": grant.words,
            "before": None if stood is None else {"write": stood.write},
            "after": after,
        },
    )
