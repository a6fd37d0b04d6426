"""Projects that are moved to another team, and projects and teams that are archived or taken back.

An archived one is out of the way, and nothing of its record is: its name, work, usage and audit
trail stay for who may see them through the organisation or the team.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.errors import ConflictError, FieldFault, UserError
from podium.domain.quota import ORGANISATION, QuotaLevel
from podium.domain.rights import Action, Level
from podium.domain.tenancy import Identity, Project
from podium.intake import workloads
from podium.intake.bindings import check_gives
from podium.intake.office import Office, authorise
from podium.intake.quotas import quota_dropped
from podium.intake.sign_in import SignIn
from podium.scheduling.order.share_faults import ShareFault, faults
from podium.store import archives, audit, bookings, projects, roles, secrets, shares
from podium.store.archives import Ended, Living
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

_WORK_MAX = 10_000
_NAMED_MAX = 5


async def project_archive(
    office: Office, sign_in: SignIn, identity: Identity, name: str, *, force: bool = False
) -> tuple[Living, Ended]:
    """Archive a project; what went on and was cancelled or removed, and what ended. Archiving it
    again changes nothing. Without `force` raises ConflictError for a project with work that has not
    ended, secrets, or bookings to come, which says what there is. Raises NotFoundError, and
    ForbiddenError, also for who may not cancel its work."""
    authorise(identity, Action.PROJECT_ARCHIVE, name)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> tuple[Living, Ended]:
        project = projects.project_held(tx, identity.known, name, alone=True, archived=True)
        roles.access_lock(tx)
        if project.archived_at_ms is not None:
            _told(tx, identity, name, name, now_ms, unchanged=True)
            return Living(work=(), secrets=(), bookings=()), Ended(
                bindings=(), accounts=(), tokens=0
            )
        living = archives.project_living(tx, name, now_ms, limit=_WORK_MAX + 1)
        if len(living.work) > _WORK_MAX:
            raise ConflictError(
                f"{name} has more than {_WORK_MAX:,} workloads that have not ended. "
                f"Cancel them first: podium cancel --all --project {name}"
            )
        if living.any and not force:
            raise ConflictError(_in_the_way(name, living))
        for each in living.work:
            entry = workloads.cancel_one(
                tx, identity, each, f"The project {name} is archived.", now_ms
            )
            audit.audit_append(tx, [entry] if entry else [], now_ms)
        for each in living.secrets:
            secrets.secret_remove(tx, name, each)
        for each in living.bookings:
            bookings.booking_delete(tx, each)
        quota = quota_dropped(tx, identity, QuotaLevel.PROJECT, name, now_ms)
        ended = archives.project_archive(tx, name, now_ms)
        before = {
            "archived": False,
            "team": project.team,
            "bindings": ended.bindings,
            "accounts": ended.accounts,
            "quota": quota,
        }
        _told(
            tx,
            identity,
            name,
            name,
            now_ms,
            before=before,
            after={"archived": True},
            cancelled=len(living.work),
            secrets=living.secrets,
            bookings=living.bookings,
            tokens=ended.tokens,
        )
        return living, ended

    done = await office.database.write(write)
    sign_in.forget()
    office.hints.wake(*workloads.HINTS)
    return done


async def project_restore(
    office: Office, sign_in: SignIn, identity: Identity, name: str
) -> Project:
    """Take an archived project back, without its roles, tokens and quota. Raises NotFoundError,
    ForbiddenError, and ConflictError while its team is archived."""
    authorise(identity, Action.PROJECT_ARCHIVE, name)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> Project:
        project = projects.project_held(tx, identity.known, name, alone=True, archived=True)
        was = project.archived_at_ms is not None
        if was:
            projects.team_open(tx, project.team)
            archives.restore(tx, Level.PROJECT, name)
        _told(tx, identity, name, name, now_ms, before={"archived": was}, after={"archived": False})
        return projects.project_fetch(tx, identity.known, name)

    found = await office.database.write(write)
    sign_in.forget()
    office.hints.wake("schedule")
    return found


async def team_archive(office: Office, sign_in: SignIn, identity: Identity, name: str) -> None:
    """Archive a team that has no projects but archived ones; again changes nothing. Raises
    ForbiddenError, NotFoundError, and ConflictError, which names its projects."""
    authorise(identity, Action.PROJECT_ARCHIVE, team=name)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> None:
        held = projects.team_held(tx, name)
        roles.access_lock(tx)
        if held.archived_at_ms is not None:
            _told(tx, identity, name, None, now_ms, level="team", unchanged=True)
            return
        there = archives.team_projects(tx, name, limit=_NAMED_MAX + 1)
        if there:
            raise ConflictError(
                f"The team {name} has projects: {_some(there)}. Move them with `podium project "
                "move`, or archive them with `podium project delete`."
            )
        quota = quota_dropped(tx, identity, QuotaLevel.TEAM, name, now_ms)
        ended = archives.team_archive(tx, name, now_ms)
        before = {"archived": False, "bindings": ended.bindings, "quota": quota}
        _told(
            tx,
            identity,
            name,
            None,
            now_ms,
            level="team",
            before=before,
            after={"archived": True},
        )

    await office.database.write(write)
    sign_in.forget()


async def team_restore(office: Office, sign_in: SignIn, identity: Identity, name: str) -> None:
    """Take an archived team back, without its roles and quota. Raises ForbiddenError and
    NotFoundError."""
    authorise(identity, Action.PROJECT_ARCHIVE, team=name)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> None:
        was = projects.team_held(tx, name).archived_at_ms is not None
        archives.restore(tx, Level.TEAM, name)
        _told(
            tx,
            identity,
            name,
            None,
            now_ms,
            level="team",
            before={"archived": was},
            after={"archived": False},
        )

    await office.database.write(write)
    sign_in.forget()


def moved(tx: Transaction, identity: Identity, project: Project, team: str, now_ms: int) -> int:
    """Put a project, which the caller holds, into another team, for which the caller has checked
    the rights; how much work went along. Who has roles in either team gets or loses them in the
    project, so the mover must hold as much. Raises NotFoundError, ConflictError, ForbiddenError,
    and UserError where guarantees would not add up any more."""
    projects.team_open(tx, team)
    roles.access_lock(tx)
    given = {
        each.role
        for name in (project.team, team)
        for each in roles.binding_list(tx, limit=_WORK_MAX, level=Level.TEAM, target=name)
    }
    for role in sorted(given):
        check_gives(tx, identity, role, Level.PROJECT, project.name)
    capacity = shares.capacity(tx)
    known = _about(faults(shares.tree(tx), capacity), project.name)
    along = archives.project_move(tx, project.name, team, now_ms)
    new = [
        each
        for place, each in _about(faults(shares.tree(tx), capacity), project.name).items()
        if place not in known and each.share in (ORGANISATION, team, f"{team}/{project.name}")
    ]
    if new:
        raise UserError(
            FieldFault(
                "team",
                " ".join(each.message for each in new[:_NAMED_MAX]),
                "Change the guarantees or limits of the two first: podium quota.",
            )
        )
    return along


def _about(found: Sequence[ShareFault], project: str) -> dict[tuple[str, str, str], ShareFault]:
    """By what they are about, whichever team the project is in."""

    def place(name: str) -> str:
        return project if name.endswith(f"/{project}") else name

    return {(place(each.share), each.field, each.message): each for each in found}


def _in_the_way(name: str, living: Living) -> str:
    has = [
        words
        for count, one, more, names in (
            (len(living.work), "workload that has not ended", "workloads that have not ended", ()),
            (len(living.secrets), "secret", "secrets", living.secrets),
            (len(living.bookings), "booking to come", "bookings to come", living.bookings),
        )
        if count
        for words in [
            f"{count:,} {one if count == 1 else more}" + (f" ({_some(names)})" if names else "")
        ]
    ]
    return (
        f"The project {name} has {' and '.join([', '.join(has[:-1]), has[-1]] if has[1:] else has)}"
        ". Cancel and remove them, or let it be done: podium project delete "
        f"{name} --force"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED_MAX]) + (" …" if len(names) > _NAMED_MAX else "")


def _told(
    tx: Transaction,
    identity: Identity,
    subject: str,
    project: str | None,
    now_ms: int,
    **detail: object,
) -> None:
    entry = AuditEntry(
        actor=identity.username,
        action=Action.PROJECT_ARCHIVE,
        subject=subject,
        project=project,
        detail=detail,
    )
    audit.audit_append(tx, [entry], now_ms)
