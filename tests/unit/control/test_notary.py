"""The notary seals, and whatever is done to the trail behind its back is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from podium.domain.audit import Seal, read_break
from podium.domain.audit_verify import FaultKind, Verifier
from podium.domain.errors import ConflictError
from podium.store import audit_seals, tables
from podium.store.database import Database, Transaction
from podium.store.retention import Retention
from podium.store.seal_file import SealFile
from turned_clock import TurnedClock
from unit.audit_desk import Desk, disarm, rehash

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
AUDIT = tables.audit


@pytest.fixture
async def desk(database: Database, clock: TurnedClock, tmp_path: Path) -> Desk:
    """Seals after entries 10, 20 and 30; 31 to 33 are not sealed yet."""
    made = Desk(database, tmp_path, Retention(audit_days=40))
    for _ in range(3):
        await made.sealed(10)
        clock.advance(10_000)
    await made.append(3)
    return made


def edit(tx: Transaction) -> None:
    tx.execute(sa.update(AUDIT).where(AUDIT.c.seq == 15).values(actor="eve"))


def delete(tx: Transaction) -> None:
    tx.execute(sa.delete(AUDIT).where(AUDIT.c.seq.in_([15, 16])))


def insert(tx: Transaction) -> None:
    """Move 15 and all after it, from the end on so that no two meet, and put one in its place."""
    seqs = tx.scalars(sa.select(AUDIT.c.seq).where(AUDIT.c.seq >= 15)).all()
    for seq in sorted(seqs, reverse=True):
        tx.execute(sa.update(AUDIT).where(AUDIT.c.seq == seq).values(seq=seq + 1))
    row = tx.execute(sa.select(AUDIT).where(AUDIT.c.seq == 14)).one()
    tx.execute(sa.insert(AUDIT).values({**row._mapping, "seq": 15, "actor": "eve"}))


def truncate(tx: Transaction) -> None:
    tx.execute(sa.delete(AUDIT).where(AUDIT.c.seq > 24))


def behead(tx: Transaction) -> None:
    tx.execute(sa.delete(AUDIT).where(AUDIT.c.seq < 5))


def nothing(_tx: Transaction) -> None:
    pass


def unsealed(tx: Transaction) -> None:
    tx.execute(sa.delete(tables.audit_seals).where(tables.audit_seals.c.seq > 10))


Attack = Callable[[Transaction], None]
K = FaultKind


async def attack(desk: Desk, *steps: Attack) -> None:
    def run(tx: Transaction) -> None:
        disarm(tx)
        for step in steps:
            step(tx)

    await desk.database.write(run)


async def test_a_trail_that_nobody_touched_is_whole(desk: Desk) -> None:
    verdict = await desk.verify()
    assert verdict.ok
    assert (verdict.entries, verdict.sealed_seq, verdict.unsealed, verdict.seals) == (33, 30, 3, 3)
    await desk.seal()
    await desk.seal()
    verdict = await desk.verify()
    assert (verdict.sealed_seq, verdict.unsealed, verdict.seals) == (33, 0, 4)
    mode = (desk.home / "audit.key").stat().st_mode & 0o777
    assert mode == 0o600


@pytest.mark.parametrize(
    ("steps", "kind", "first", "last"),
    [
        # With the hashes left alone.
        ((edit,), K.CHANGED, 15, 15),
        ((delete,), K.MISSING, 15, 16),
        ((insert,), K.CHANGED, 15, 15),
        ((truncate,), K.TRUNCATED, 25, 33),
        ((behead,), K.MISSING, 1, 4),
        # With all hashes and the end made to fit.
        ((edit, rehash), K.REWRITTEN, 11, 20),
        ((delete, rehash), K.REWRITTEN, 15, 16),
        ((insert, rehash), K.REWRITTEN, 11, 20),
        ((truncate, rehash), K.TRUNCATED, 25, 30),
        ((behead, rehash), K.REWRITTEN, 1, 4),
        # And with the seals taken out.
        ((edit, rehash, unsealed), K.REWRITTEN, 11, 20),
        ((truncate, rehash, unsealed), K.SEAL_REMOVED, 20, 20),
        ((nothing, unsealed), K.SEAL_REMOVED, 20, 20),
    ],
)
async def test_every_change_is_found(
    desk: Desk, steps: tuple[Attack, ...], kind: FaultKind, first: int, last: int
) -> None:
    await attack(desk, *steps)
    verdict = await desk.verify()
    assert not verdict.ok
    fault = verdict.faults[0]
    assert (fault.kind, fault.first_seq, fault.last_seq) == (kind, first, last), verdict.faults
    # After a restart, too: the file remembers.
    desk.restarted()
    assert not (await desk.verify()).ok


async def test_a_truncation_with_its_seals_is_found_by_the_file(desk: Desk) -> None:
    await attack(desk, truncate, rehash, unsealed)
    faults = (await desk.verify()).faults
    assert (K.TRUNCATED, 25, 30) in [(each.kind, each.first_seq, each.last_seq) for each in faults]


@pytest.mark.parametrize("steps", [(edit,), (edit, rehash), (truncate, rehash, unsealed)])
@pytest.mark.parametrize("restart", [False, True])
async def test_the_notary_does_not_sign_for_others(
    desk: Desk, steps: tuple[Attack, ...], restart: bool
) -> None:
    await attack(desk, *steps)
    if restart:
        desk.restarted()
    before = await desk.database.read(audit_seals.seal_list)
    await desk.append(2)
    await desk.seal()
    if steps == (edit,):
        # What is sealed already it does not look at again; to verify does.
        assert not (await desk.verify()).ok
        return
    assert desk.notary.alarm
    await desk.seal()
    assert await desk.database.read(audit_seals.seal_list) == before
    actions = [link[3] for link in await desk.links()]
    assert actions.count("audit:alarm") == 1


async def test_what_is_not_sealed_yet_is_watched(desk: Desk) -> None:
    change = sa.update(AUDIT).where(AUDIT.c.seq == 32).values(action="x")
    await attack(desk, lambda tx: tx.execute(change))
    await desk.seal()
    assert "32" in desk.notary.alarm
    assert (await desk.verify()).sealed_seq == 30


async def test_an_administrator_can_declare_a_break(desk: Desk) -> None:
    await attack(desk, edit, rehash)
    await desk.seal()
    assert desk.notary.alarm
    await desk.notary.declare_break("root", "restored from a backup")
    assert not desk.notary.alarm
    await desk.sealed(4)
    verdict = await desk.verify()
    assert verdict.ok
    (told,) = (read_break(each.note) for each in verdict.breaks)
    assert (told.by, told.reason) == ("root", "restored from a backup")
    assert (told.first_seq, told.last_seq) == (11, 20)
    assert verdict.excused[0].kind is K.REWRITTEN
    assert verdict.unsealed == 0
    with pytest.raises(ConflictError):
        await desk.notary.declare_break("root", "again")
    # What is done later is not excused by it, before the break or after.
    for seq in (36, 5):
        change = sa.update(AUDIT).where(AUDIT.c.seq == seq).values(actor="eve")
        await desk.database.write(lambda tx, done=change: tx.execute(done))  # type: ignore[misc]
        assert (await desk.verify()).faults[0].first_seq == seq


async def test_a_restored_backup_is_a_break_too(desk: Desk) -> None:
    """The database goes back in time; the file does not."""
    await attack(desk, truncate, rehash, unsealed)
    desk.restarted()
    await desk.seal()
    assert "30" in desk.notary.alarm
    await desk.notary.declare_break("root", "restored from a backup")
    await desk.sealed(20)
    verdict = await desk.verify()
    assert verdict.ok, verdict.faults
    assert verdict.unsealed == 0


async def test_a_forged_seal_is_not_believed(desk: Desk) -> None:
    await attack(desk, edit, rehash, lambda tx: tx.execute(sa.delete(tables.audit_seals)))
    (desk.home / "audit-seals.jsonl").unlink()
    (desk.home / "audit.key").rename(desk.home / "kept.key")
    forger = desk.restarted()
    await desk.seal()
    assert (await forger.verify()).ok, "by the forger's own key"
    (desk.home / "kept.key").replace(desk.home / "audit.key")
    desk.restarted()
    assert (await desk.verify()).faults[0].kind is K.UNSIGNED


async def test_a_crash_between_database_and_file_is_mended(desk: Desk) -> None:
    file = SealFile(desk.home / "audit-seals.jsonl")
    seals = file.read()
    file.replace(seals[:-1])
    with (desk.home / "audit-seals.jsonl").open("a") as half:
        half.write('{"kind":"sea')
    desk.restarted()
    await desk.seal()
    assert [each.seq for each in file.read()] == [10, 20, 30, 33]
    assert (await desk.verify()).ok


async def test_retention_leaves_a_signed_record(desk: Desk, clock: TurnedClock) -> None:
    await desk.seal()
    clock.advance(30 * DAY_MS)
    await desk.sealed(5)
    clock.advance(12 * DAY_MS)
    await desk.sealed(1)
    links = await desk.links()
    assert [link[0] for link in links] == [*range(34, 41)]
    assert links[-1][3] == "audit:remove"
    verdict = await desk.verify()
    assert verdict.ok, verdict.faults
    assert verdict.removal is not None
    assert (verdict.removal.first_seq, verdict.removal.last_seq) == (1, 33)
    assert verdict.removal.entries == 33
    while await desk.database.write(lambda tx: audit_seals.audit_sweep(tx, 10)):
        assert (await desk.verify()).ok
    count = sa.select(sa.func.count()).select_from(AUDIT)
    assert await desk.database.read(lambda tx: tx.scalar(count)) == 7
    (first, *_) = SealFile(desk.home / "audit-seals.jsonl").read()
    assert first.seq == 33
    clock.advance(40 * DAY_MS)
    await desk.sealed(1)
    verdict = await desk.verify()
    assert verdict.ok, verdict.faults
    assert verdict.removal is not None
    assert verdict.removal.entries == verdict.removal.last_seq > 33


async def test_what_no_removal_covers_cannot_be_taken_away(desk: Desk, clock: TurnedClock) -> None:
    await desk.seal()
    clock.advance(42 * DAY_MS)
    await desk.sealed(2)
    await attack(desk, lambda tx: tx.execute(sa.delete(AUDIT).where(AUDIT.c.seq <= 34)))
    fault = (await desk.verify()).faults[0]
    assert (fault.kind, fault.first_seq, fault.last_seq) == (K.MISSING, 34, 34)


async def test_a_forged_removal_is_found(desk: Desk) -> None:
    def forge(tx: Transaction) -> None:
        row = tx.execute(sa.select(AUDIT).where(AUDIT.c.seq == 12)).one()
        tx.execute(
            sa.insert(tables.audit_removals).values(
                last_seq=12, first_seq=1, entries=12, hash=row.hash, at_ms=1, key_id="x",
                signature=b"x",
            )
        )  # fmt: skip
        tx.execute(sa.delete(AUDIT).where(AUDIT.c.seq <= 12))

    await attack(desk, forge)
    assert (await desk.verify()).faults[0].kind is K.UNSIGNED


async def test_nothing_is_removed_from_a_trail_with_faults(desk: Desk, clock: TurnedClock) -> None:
    await desk.seal()
    await attack(desk, edit)
    clock.advance(50 * DAY_MS)
    await desk.sealed(1)
    assert "15" in desk.notary.alarm
    assert (await desk.verify()).removal is None


async def test_old_seals_are_thinned_to_one_an_hour(desk: Desk, clock: TurnedClock) -> None:
    for _ in range(30):
        clock.advance(10 * 60_000)
        await desk.sealed(1)
    many = len(SealFile(desk.home / "audit-seals.jsonl").read())
    clock.advance(2 * DAY_MS)
    await desk.sealed(1)
    left = SealFile(desk.home / "audit-seals.jsonl").read()
    assert len(left) < many / 3
    assert left == await desk.database.read(audit_seals.seal_list)
    assert (await desk.verify()).ok


async def test_seals_are_of_the_place_that_they_name(desk: Desk) -> None:
    """Nothing of a seal can be changed without the signature telling."""
    (seal, *_) = await desk.database.read(audit_seals.seal_list)

    def faults(changed: Seal) -> list[FaultKind]:
        verifier = Verifier(keys=desk.notary.keys, seals=[changed])
        verifier.take(links)
        return [each.kind for each in verifier.finish().faults]

    links = list(await desk.links())
    assert faults(seal) == []
    for changed in (
        replace(seal, at_ms=seal.at_ms + 1),
        replace(seal, note="x"),
        replace(seal, key_id="x"),
        replace(seal, signature=bytes(64)),
    ):
        assert faults(changed) == [K.UNSIGNED]
    assert faults(replace(seal, kind="break")) == [K.UNSIGNED]


async def test_another_server_may_seal_meanwhile(desk: Desk) -> None:
    first = desk.notary
    await desk.leadership.release()
    await first.step()
    second = desk.restarted()
    await desk.sealed(5)
    assert second is not first
    await first.step()
    assert not first.alarm
