"""Receivers that are down, slow, cut off or refusing: nothing is lost, and the order is kept."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from loopback_tls import authority
from podium.control.forwarding import LEASE, Forwarder, Pace
from podium.control.leadership import Leadership
from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from podium.domain.forwarding import Forward, syslog_message, trial_record
from podium.domain.outbound import Outbound, OutboundError, outbound_read
from podium.domain.rights import Rights
from podium.domain.tenancy import Identity
from podium.intake.forwarding import FORWARDS_MAX, forward_remove, forward_set
from podium.store import audit_trail, forwards, tables
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Database, Transaction
from requirement import program, require
from turned_clock import TurnedClock
from unit.control.receivers import (
    SyslogReceiver,
    WebhookReceiver,
    body_of,
    first_seen,
    is_signed,
    until,
)
from unit.house import ADMINISTRATOR, House

pytestmark = pytest.mark.anyio

LOOPBACK = outbound_read(["127.0.0.0/8", "::1"])
PACE = Pace(idle_seconds=0.01, settle_seconds=0.2, backoff_seconds=0.01, backoff_seconds_max=0.1)
SECRET = "a secret of the receiver"


@dataclass
class Desk:
    house: House
    database: Database
    forwarder: Forwarder
    leadership: Leadership
    pace: Pace = PACE

    async def append(self, count: int, text: str = "") -> None:
        entries = [
            AuditEntry(actor="ada", action="quota:set", subject="vision",
                       detail={"n": each, "text": text})
            for each in range(count)
        ]  # fmt: skip
        await self.database.write(
            lambda tx: audit_append(tx, entries, self.house.office.database.now_ms())
        )

    async def forward(self, address: str, name: str = "siem", **fields: object) -> Forward:
        wanted = {"secret": None, "ca": None, "from_start": True, **fields}
        made = await forward_set(
            self.house.office, LOOPBACK, ADMINISTRATOR, name=name, address=address,
            **wanted,  # type: ignore[arg-type]
        )  # fmt: skip
        await self.forwarder.step()
        return made

    async def state(self, name: str = "siem") -> Forward:
        return await self.database.read(lambda tx: forwards.forward_fetch(tx, name))

    async def head(self) -> int:
        return (await self.database.read(audit_trail.head)).seq

    async def restart(self) -> None:
        await self.forwarder.close()
        self.forwarder = made_forwarder(self.house, self.leadership, self.pace)
        await self.forwarder.step()

    async def noted(self, seq: int, name: str = "siem") -> None:
        async with asyncio.timeout(20):
            while (await self.state(name)).sent_seq < seq:
                await asyncio.sleep(0.02)


def made_forwarder(house: House, leadership: Leadership, pace: Pace = PACE) -> Forwarder:
    office = house.office
    return Forwarder(office.database, leadership, office.sealer, LOOPBACK, "podium-1", pace)


@pytest.fixture
async def desk(database: Database, clock: TurnedClock) -> AsyncIterator[Desk]:
    house = House(database, clock)
    leadership = Leadership(database, "desk", [LEASE])
    await leadership.renew()
    made = Desk(house, database, made_forwarder(house, leadership), leadership)
    yield made
    await made.forwarder.close()


@pytest.fixture
async def syslog() -> AsyncIterator[SyslogReceiver]:
    made = SyslogReceiver()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def webhook() -> AsyncIterator[WebhookReceiver]:
    made = WebhookReceiver()
    await made.open()
    yield made
    await made.close()


async def test_syslog_gets_each_entry_in_order(desk: Desk, syslog: SyslogReceiver) -> None:
    await desk.append(1200, 'öäü\n] " \\')
    await desk.forward(f"tcp://127.0.0.1:{syslog.port}")
    await desk.append(3)
    last = await desk.head()
    await desk.noted(last)
    assert syslog.seqs == list(range(1, last + 1))
    assert syslog.connections == 1
    said = syslog.messages[0].decode()
    assert said.startswith("<109>1 ")
    assert ' podium-1 podium - audit [podium@32473 seq="1" actor="ada" action="quota:set"' in said
    assert body_of(syslog.messages[0])["detail"]["text"] == 'öäü\n] " \\'
    state = await desk.state()
    assert (state.fault, state.skipped) == ("", 0)


async def test_over_tls_and_only_to_who_is_trusted(desk: Desk, tmp_path: Path) -> None:
    trusted = authority(tmp_path, "localhost")
    receiver = SyslogReceiver(tls=trusted.server)
    await receiver.open()
    await desk.append(5)
    address = f"tls://localhost:{receiver.port}"
    await desk.forward(address)
    await until(lambda: desk_failing(desk), "the fault is noted")
    assert "certificate is not trusted" in (await desk.state()).fault
    assert receiver.seqs == []
    await desk.forward(address, ca=trusted.ca)
    await desk.noted(5)
    assert receiver.seqs[:5] == [1, 2, 3, 4, 5]
    assert (await desk.state()).fault == ""
    await receiver.close()


def tried_again(desk: Desk) -> bool:
    return desk.forwarder.next_try_ms("siem") is not None


def desk_failing(desk: Desk) -> bool:
    """Straight from the table, as conditions are plain functions."""
    with desk.database._read_engine.connect() as tx:
        return bool(tx.scalar(sa.select(tables.audit_forwards.c.failing_since_ms)))


async def test_udp_is_one_datagram_each(desk: Desk) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        await desk.append(3)
        await desk.append(1, "x" * 20_000)
        await desk.forward(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        loop = asyncio.get_running_loop()
        seen = [body_of(await loop.sock_recv(receiver, 70_000)) for _ in range(4)]
    assert [each["seq"] for each in seen] == [1, 2, 3, 4]
    assert seen[3]["detail"] == {"left_out": True}


async def test_a_receiver_that_is_down_gets_all_when_it_is_back(
    desk: Desk, syslog: SyslogReceiver
) -> None:
    await syslog.close()
    await desk.append(20)
    await desk.forward(f"tcp://127.0.0.1:{syslog.port}")
    await until(lambda: desk_failing(desk), "the fault is noted")
    assert "cannot be reached" in (await desk.state()).fault
    await until(lambda: tried_again(desk), "it is known when it is tried again")
    await desk.append(20)  # commands go on meanwhile
    await syslog.open()
    last = await desk.head()
    await desk.noted(last)
    assert syslog.seqs == list(range(1, last + 1))
    state = await desk.state()
    assert (state.fault, state.failing_since_ms) == ("", None)
    assert desk.forwarder.next_try_ms("siem") is None


async def test_cut_connections_lose_nothing(desk: Desk, syslog: SyslogReceiver) -> None:
    syslog.cut_after = [0, 1, 7, 30, 2, 0, 100]
    await desk.forward(f"tcp://127.0.0.1:{syslog.port}")
    for _ in range(6):
        await desk.append(60)
        await asyncio.sleep(0.05)
    last = await desk.head()
    await desk.noted(last)
    assert first_seen(syslog.seqs) == list(range(1, last + 1))
    assert syslog.connections >= 7


async def test_a_slow_receiver_that_dies_with_its_backlog_loses_nothing(
    desk: Desk, syslog: SyslogReceiver
) -> None:
    """Its system has taken everything; it itself has read a little."""
    syslog.pause_seconds = 0.005
    await desk.append(50)
    await desk.forward(f"tcp://127.0.0.1:{syslog.port}")
    await until(lambda: len(syslog.messages) >= 3, "it reads")
    await syslog.close()
    assert len(syslog.messages) < 51
    syslog.pause_seconds = 0
    await syslog.open()
    last = await desk.head()
    await desk.noted(last)
    assert first_seen(syslog.seqs) == list(range(1, last + 1))


async def test_a_restart_goes_on_from_what_was_noted(desk: Desk, webhook: WebhookReceiver) -> None:
    await desk.append(40)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/x")
    await desk.noted(41)
    await desk.forwarder.close()
    await desk.append(40)
    await desk.restart()
    last = await desk.head()
    await desk.noted(last)
    assert webhook.seqs == list(range(1, last + 1))


async def test_restarts_at_any_moment_lose_nothing(desk: Desk, syslog: SyslogReceiver) -> None:
    await desk.forward(f"tcp://127.0.0.1:{syslog.port}")
    for number in range(8):
        await desk.append(100)
        await asyncio.sleep(0.003 * number)
        await desk.restart()
    last = await desk.head()
    await desk.noted(last)
    assert first_seen(syslog.seqs) == list(range(1, last + 1))


async def test_webhooks_are_signed_and_tried_again(desk: Desk, webhook: WebhookReceiver) -> None:
    webhook.statuses = [500, 503, 302, 404, 200, 500]
    await desk.append(700)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/audit?x=1", secret=SECRET)
    last = await desk.head()
    await desk.noted(last)
    assert webhook.seqs == list(range(1, last + 1))
    for headers, body in webhook.requests:
        assert is_signed(headers, body, SECRET)
        assert not is_signed(headers, body + b" ", SECRET)
    again = [headers["x-podium-delivery"] for headers, _ in webhook.requests[:5]]
    assert len(set(again)) == 1


async def test_an_answer_that_was_lost_sends_the_batch_again(
    desk: Desk, webhook: WebhookReceiver
) -> None:
    webhook.deaf = 2
    await desk.append(5)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/")
    last = await desk.head()
    await desk.noted(last)
    assert first_seen(webhook.seqs) == list(range(1, last + 1))
    assert len(webhook.seqs) > last


async def test_batches_shrink_to_what_is_taken(desk: Desk, webhook: WebhookReceiver) -> None:
    webhook.limit = 3
    await desk.append(30)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/")
    last = await desk.head()
    await desk.noted(last)
    assert webhook.seqs == list(range(1, last + 1))
    assert max(len(each["entries"]) for each in webhook.bodies) <= 3


async def test_large_entries_make_small_batches(desk: Desk, webhook: WebhookReceiver) -> None:
    await desk.append(40, "x" * 50_000)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/")
    await desk.noted(40)
    assert max(len(body) for _, body in webhook.requests) < 1_000_000


async def test_what_was_removed_unsent_is_counted(desk: Desk, webhook: WebhookReceiver) -> None:
    await desk.append(10)

    def forget(tx: Transaction) -> None:
        values = {"last_seq": 4, "first_seq": 1, "entries": 4, "hash": b"", "at_ms": 0,
                  "key_id": "", "signature": b""}  # fmt: skip
        tx.execute(sa.insert(tables.audit_removals).values(**values))

    await desk.database.write(forget)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/")
    await desk.noted(10)
    assert webhook.seqs[:6] == [5, 6, 7, 8, 9, 10]
    assert (await desk.state()).skipped == 4


async def test_only_who_holds_the_lease_sends(desk: Desk, webhook: WebhookReceiver) -> None:
    other = Leadership(desk.database, "other", [LEASE])
    await other.renew()
    second = made_forwarder(desk.house, other)
    await desk.append(3)
    await desk.forward(f"http://127.0.0.1:{webhook.port}/")
    await second.step()
    await desk.noted(4)
    await second.close()
    assert webhook.seqs == [1, 2, 3, 4]


async def test_one_that_fails_holds_up_no_other(
    desk: Desk, syslog: SyslogReceiver, webhook: WebhookReceiver
) -> None:
    await syslog.close()
    await desk.append(5)
    await desk.forward(f"tcp://127.0.0.1:{syslog.port}", "down")
    await desk.forward(f"http://127.0.0.1:{webhook.port}/", "up")
    await desk.noted(await desk.head(), "up")
    assert (await desk.state("down")).sent_seq == 0


async def test_trials(desk: Desk, webhook: WebhookReceiver) -> None:
    forward = await desk.forward(f"http://127.0.0.1:{webhook.port}/", from_start=False)
    await desk.noted(await desk.head())
    assert (await desk.forwarder.trial(forward, "ada"))[1] == ""
    assert webhook.bodies[-1]["entries"][0]["action"] == "audit:test"
    webhook.statuses = [418]
    assert "418" in (await desk.forwarder.trial(forward, "ada"))[1]
    await webhook.close()
    assert "cannot be reached" in (await desk.forwarder.trial(forward, "ada"))[1]


async def test_a_name_that_turns_to_the_servers_own_machine_is_not_reached(
    desk: Desk, webhook: WebhookReceiver
) -> None:
    office = desk.house.office
    guarded = Forwarder(
        office.database, desk.leadership, office.sealer, Outbound(), "podium-1", PACE
    )
    forward = await desk.forward(f"http://localhost:{webhook.port}/")
    await desk.noted(await desk.head())
    before = len(webhook.requests)
    assert "own machine" in (await guarded.trial(forward, "ada"))[1]
    assert len(webhook.requests) == before


async def test_what_is_set_is_checked(desk: Desk) -> None:
    office = desk.house.office

    async def setting(name: str, address: str, **fields: object) -> Forward:
        wanted = {"secret": None, "ca": None, "from_start": False, **fields}
        return await forward_set(
            office, Outbound(), ADMINISTRATOR, name=name, address=address,
            **wanted,  # type: ignore[arg-type]
        )  # fmt: skip

    for address, words in (
        ("siem.example.com:514", "does not begin"), ("file:///x", "does not begin"),
        ("tcp://h", "no port"), ("tcp://h:1/x", "goes on"), ("https://", "no host"),
        ("https://a:b@h/", "password"), ("https://h/#x", "behind #"), ("tcp://h:99999", "is no"),
        ("https://169.254.169.254/x", "link-local"), ("tcp://127.0.0.1:1", "own machine"),
        ("https://metadata.google.internal/", "secrets"), ("https://h /", "characters"),
    ):  # fmt: skip
        with pytest.raises((UserError, OutboundError), match=words):
            await setting("siem", address)
    for fields, words in (
        ({"secret": "short"}, "characters"), ({"ca": "x"}, "no certificates"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            await setting("siem", "https://h.example/", **fields)
    with pytest.raises(UserError, match="webhooks only"):
        await setting("siem", "tcp://h.example:1", secret=SECRET)
    for number in range(FORWARDS_MAX):
        await setting(f"f{number}", "tcp://10.0.0.1:1")
    with pytest.raises(ConflictError):
        await setting("more", "tcp://10.0.0.1:1")
    await setting("f0", "https://h.example/", secret=SECRET)
    await setting("f0", "https://other.example/")
    kept = await desk.state("f0")
    assert (kept.address, kept.has_secret) == ("https://other.example/", True)
    assert not (await setting("f0", "https://other.example/", secret="")).has_secret
    await forward_remove(office, ADMINISTRATOR, "f0")
    with pytest.raises(NotFoundError):
        await forward_remove(office, ADMINISTRATOR, "f0")
    nobody = Identity(username="bob", rights=Rights(), token_id="")
    with pytest.raises(ForbiddenError):
        await forward_remove(office, nobody, "f1")
    raw = await desk.database.read(lambda tx: audit_trail.entries_after(tx, 0, 1000))
    assert SECRET not in str(raw)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_rsyslog_has_all_of_it_through_a_kill(desk: Desk, tmp_path: Path) -> None:
    """A real receiver, which is killed and started again in the middle."""
    rsyslogd = program("rsyslogd")
    require("rsyslogd", rsyslogd)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "rsyslog.conf").write_text(
        f'''module(load="imtcp")
        input(type="imtcp" address="127.0.0.1" port="{port}")
        template(name="fields" type="string"
          string="%syslogfacility-text% %syslogseverity-text% %hostname% %msgid% %msg%\\n")
        action(type="omfile" file="{tmp_path}/got" template="fields")
        '''
    )
    command = [str(rsyslogd), "-n", "-f", f"{tmp_path}/rsyslog.conf", "-i", f"{tmp_path}/pid"]

    def got() -> list[int]:
        lines = (tmp_path / "got").read_text().splitlines() if (tmp_path / "got").exists() else []
        assert all(each.startswith("audit notice podium-1 audit {") for each in lines)
        return [json.loads(each[each.index("{") :])["seq"] for each in lines]

    running = await asyncio.create_subprocess_exec(*command)
    try:
        await desk.append(30, "ünï")
        await desk.forward(f"tcp://127.0.0.1:{port}")
        await until(lambda: len(got()) >= 31, "rsyslog has the first ones")
        running.kill()
        await running.wait()
        await desk.append(30)
        running = await asyncio.create_subprocess_exec(*command)
        last = await desk.head()
        await until(lambda: len(set(got())) >= last, "rsyslog has all of them")
        assert first_seen(got()) == list(range(1, last + 1))
    finally:
        running.kill()
        await running.wait()


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_place(actor: str, host: str) -> None:
    said = {**trial_record("", 0), "actor": actor}
    made = syslog_message(said, at="2026-01-01T00:00:00.000Z", host=host).decode()
    assert "\n" not in made
    head, _, rest = made.partition(" [podium@32473 ")
    assert len(head.split(" ")) == 6
    element = rest[: rest.index("] {")]
    unescaped = element.replace("\\\\", "").replace('\\"', "").replace("\\]", "")
    assert unescaped.count('"') == 16
    assert "]" not in unescaped
    assert body_of(made.encode())["actor"] == actor
