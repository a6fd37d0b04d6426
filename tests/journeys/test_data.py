"""Data on a real server: sources are made and granted, work mounts them behind its walls, and the
audit trail proves where it did."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from moto.server import ThreadedMotoServer

from journeys.serving import Server, until
from podium.client.client import Client
from podium.client.compliance import report_of_file
from podium.domain.errors import ForbiddenError, NotFoundError, UserError
from requirement import require

SMALL = {"cpus": 0.1, "memory": "64MiB"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with data of two sorts, beside something that is in no root."""
    outside = tmp_path_factory.mktemp("roots")
    for each in (outside, *outside.parents[:2]):
        each.chmod(0o755)
    root = outside / "offered"
    for name in ("scans", "corpus"):
        (root / name).mkdir(parents=True)
        (root / name / "one.txt").write_text(f"{name} one\n")
    (root / "scans").chmod(0o777)
    (outside / "private").mkdir()
    (root / "way-out").symlink_to(outside / "private")
    return root


@pytest.fixture(scope="module")
def data_server(make_server: Callable[..., Server], place: Path) -> Server:
    made = make_server(
        "data",
        options=(
            "--isolation", "auto", "--virtual-gpus", "2", "--node-name", "d1", "--label",
            "zone=secure", "--data-root", str(place), "--allow-outbound", "127.0.0.1",
        ),
    )  # fmt: skip
    level = made.client_kept.server.about().isolation
    require("namespaces, which root or unprivileged users may make", level != "none")
    root = made.client()
    for name in ("vision", "speech"):
        root.projects.create(name, team=name)
    return made


@pytest.fixture
def root(data_server: Server) -> Client:
    return data_server.client()


def run(root: Client, server: Server, script: str, **fields: Any) -> tuple[str, str, str]:
    """State, message and log of a small piece of work in vision."""
    spec = {"name": "job", "project": "vision", "script": script, "resources": SMALL, **fields}
    made = root.workloads.submit(spec)
    done = server.ended(made.id)
    return done.state, done.message, root.workloads.logs(made.id)


def folder(root: Client, name: str, path: Path, classification: str = "internal") -> None:
    root.data.set(name, "folder", {"path": str(path)}, classification)


def test_a_folder_is_read_and_written_as_it_was_granted(
    data_server: Server, root: Client, place: Path
) -> None:
    folder(root, "scans", place / "scans")
    with pytest.raises(UserError) as raised:
        root.workloads.submit(
            {"name": "a", "project": "vision", "command": "true", "data": ["scans", "none-such"]}
        )
    assert [(each.field, each.message) for each in raised.value.faults] == [
        ("data.0.source", "project vision has no data source 'scans' to use."),
        ("data.1.source", "project vision has no data source 'none-such' to use."),
    ]
    data_server.command("data", "grant", "scans", "--project", "vision")
    spec = {"data": [{"source": "scans", "path": "/mnt/s", "mode": "rw"}]}
    with pytest.raises(UserError, match=r"data\.0\.mode: project vision may read 'scans'"):
        run(root, data_server, "true", **spec)

    script = (
        'set +e; echo "at $PODIUM_DATA_SCANS"; cat /mnt/s/one.txt; echo bad > /mnt/s/two.txt; true'
    )
    read_only = {"data": [{"source": "scans", "path": "/mnt/s"}]}
    state, _, log = run(root, data_server, script, **read_only)
    assert state == "succeeded", log
    assert "at /mnt/s\nscans one\n" in log
    assert "Read-only file system" in log
    assert not (place / "scans" / "two.txt").exists()

    root.data.grant("scans", "project", "vision", write=True)
    state, _, log = run(root, data_server, "echo good > /mnt/s/two.txt", **spec)
    assert (state, (place / "scans" / "two.txt").read_text()) == ("succeeded", "good\n"), log
    (place / "scans" / "two.txt").unlink()

    first, *_ = root.data.log("scans")
    assert (first.mode, first.node, first.path, first.right) == (
        "rw", "d1", "/mnt/s", "project vision",
    )  # fmt: skip


def test_nothing_else_of_a_root_is_seen(data_server: Server, root: Client, place: Path) -> None:
    folder(root, "scans", place / "scans")
    root.data.grant("scans", "project", "vision")
    script = f"set +e; cat {place}/corpus/one.txt {place}/scans/one.txt; ls -la {place}; echo done"
    _, _, log = run(root, data_server, script, data=[{"source": "scans", "path": "/mnt/s"}])
    assert "done" in log
    assert "corpus one" not in log
    assert "scans one" not in log


def test_a_source_outside_of_its_root_is_refused(root: Client, place: Path) -> None:
    for path in (place.parent / "private", place / "way-out", place / ".." / "private", Path("/")):
        with pytest.raises(UserError) as raised:
            folder(root, "escape", path)
        (fault,) = raised.value.faults
        assert fault.field == "location.path", path
        assert "outside of the folders" in fault.message
    with pytest.raises(UserError, match=r"location\.path: .* finds no folder"):
        folder(root, "escape", place / "none-such")
    with pytest.raises(NotFoundError):
        root.data.get("escape")


def test_a_link_put_in_the_way_later_is_not_followed(
    data_server: Server, root: Client, place: Path
) -> None:
    (place / "moving" / "inner").mkdir(parents=True)
    folder(root, "moving", place / "moving" / "inner")
    root.data.grant("moving", "project", "vision")
    (place.parent / "private" / "inner").mkdir(exist_ok=True)
    (place / "moving").rename(place / "moved")
    (place / "moving").symlink_to(place.parent / "private")
    state, message, _ = run(
        root, data_server, "ls /mnt/x", data=[{"source": "moving", "path": "/mnt/x"}]
    )
    assert state == "failed"
    assert message.startswith("The folder of data source moving is a link")


@pytest.mark.skipif(os.getuid() != 0, reason="root alone is kept apart by Unix users")
def test_a_folder_that_its_user_may_not_read_is_told(
    data_server: Server, root: Client, place: Path
) -> None:
    (place / "closed").mkdir(mode=0o700)
    folder(root, "closed", place / "closed")
    root.data.grant("closed", "project", "vision")
    state, message, _ = run(
        root, data_server, "true", data=[{"source": "closed", "path": "/mnt/c"}]
    )
    assert state == "failed"
    assert message.startswith("The files of data source closed may not be read by the Unix user")


def test_phi_waits_for_an_approved_pool_and_the_report_tells_what_happened(
    data_server: Server, root: Client, place: Path, tmp_path: Path
) -> None:
    folder(root, "patients", place / "corpus", "phi")
    root.data.grant("patients", "team", "vision")
    spec = {
        "name": "study",
        "project": "vision",
        "script": "cat /mnt/p/one.txt; sleep 600",
        "resources": SMALL,
        "data": [{"source": "patients", "path": "/mnt/p"}],
    }
    told = root.workloads.dry_run(spec)
    assert "phi data, which may run only in pools approved for it" in json.dumps(
        told.model_dump(mode="json")
    )
    made = root.workloads.submit(spec)
    waits = until(
        lambda: (
            found
            if (found := root.workloads.get(made.id)).waiting and found.waiting.reason == "policy"
            else None
        ),
        "it is refused",
    )
    assert waits.waiting is not None
    assert waits.waiting.message == (
        "It has phi data, which may run only in pools approved for it; there is no such pool here."
    )

    data_server.command(
        "pool",
        "set",
        "secure",
        "--label",
        "zone=secure",
        "--region",
        "eu-central",
        "--approve",
        "phi",
    )
    until(lambda: root.workloads.get(made.id).state == "running", "it runs")
    report = root.compliance.report()
    assert (report.trail_ok, report.violations, report.unproven) == (True, 0, 0)
    assert report.by_class["phi"] == 1
    assert report.items[0].approved_for == ["phi"]

    # An approval that is withdrawn stops nothing, and nothing is silent about it.
    data_server.command("pool", "set", "secure", "--approve-none")
    report = root.compliance.report(classification="phi")
    (found,) = report.findings
    assert (found.kind, found.workload_id) == ("exposed", made.id)
    assert root.workloads.get(made.id).state == "running"
    shown = data_server.command("compliance", "report", code=1).stdout
    assert "1 violation" in shown

    file = tmp_path / "trail.jsonl"
    data_server.command("audit", "export", str(file))
    offline = report_of_file(file)
    assert (offline.trail_ok, offline.violations) == (True, 1)
    assert [each.seq for each in offline.items][-len(report.items) :]
    root.workloads.cancel(made.id)
    data_server.ended(made.id)


def test_a_grant_withdrawn_while_it_waits_is_told(
    data_server: Server, root: Client, place: Path
) -> None:
    folder(root, "scans", place / "scans")
    root.data.grant("scans", "project", "vision")
    made = root.workloads.submit(
        {
            "name": "later", "project": "vision", "command": "true", "resources": SMALL,
            "start": {"not_before": "1h"}, "data": [{"source": "scans", "path": "/mnt/s"}],
        }
    )  # fmt: skip
    data_server.command("data", "revoke", "scans", "--project", "vision")
    until(
        lambda: (
            (each := root.workloads.get(made.id).waiting) is not None
            and each.reason == "policy"
            and "may not use the data source scans" in each.message
        ),
        "it says why",
    )
    root.workloads.cancel(made.id)


def test_who_keeps_what(data_server: Server, root: Client, place: Path) -> None:
    lead = data_server.client(data_server.person("data-lead", leads="own"), project="own")
    stranger = data_server.client(data_server.person("data-other", leads="other"), project="other")
    folder(root, "own/mine", place / "corpus")
    assert [each.id for each in lead.data.list()] == ["own/mine"]
    assert list(stranger.data.list()) == []
    for ask in (stranger.data.get, stranger.data.log, stranger.data.remove):
        for name in ("own/mine", "own/none-such"):
            with pytest.raises(NotFoundError):
                list(ask(name) or ())
    with pytest.raises(ForbiddenError):
        folder(lead, "own/second", place / "corpus")
    lead.data.grant("own/mine", "project", "other")
    (seen,) = stranger.data.list()
    assert (seen.id, seen.location, seen.grants) == ("own/mine", None, None)
    with pytest.raises(NotFoundError):
        stranger.data.grant("own/mine", "user", "data-other", write=True)
    lead.data.revoke("own/mine", "project", "other")
    assert list(stranger.data.list()) == []


def test_object_storage_is_fetched_and_written_back(data_server: Server, root: Client) -> None:
    storage = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    storage.start()
    try:
        host, port = storage.get_host_and_port()
        bucket = Minio(f"{host}:{port}", "key-id", "key", secure=False)
        bucket.make_bucket("models")
        bucket.put_object("models", "in/one.txt", io.BytesIO(b"from afar\n"), 10)
        root.secrets.set("vision", "S3_KEYS", "key-id:key")
        location = {
            "endpoint": f"http://{host}:{port}", "bucket": "models", "prefix": "in",
            "secret": "S3_KEYS",
        }  # fmt: skip
        root.data.set("vision/models", "s3", location, "internal")
        read_only = {"data": [{"source": "models", "path": "/mnt/m"}]}
        script = "set +e; cat /mnt/m/one.txt; echo x > /mnt/m/x; env | grep -c key-id; true"
        state, message, log = run(root, data_server, script, **read_only)
        assert state == "succeeded", message + log
        assert "1 of 1 objects" in log
        assert "from afar" in log
        assert "Read-only file system" in log
        assert log.splitlines()[-1] == "0"
        write = {"data": [{"source": "models", "path": "/mnt/m", "mode": "rw"}]}
        state, message, log = run(root, data_server, "echo made > /mnt/m/two.txt", **write)
        assert state == "succeeded", message + log
        assert bucket.get_object("models", "in/two.txt").read() == b"made\n"
        bucket.remove_object("models", "in/one.txt")
        bucket.remove_object("models", "in/two.txt")
        gone = "sleep 0.2; echo late > /mnt/m/late.txt; while [ ! -e /mnt/m/stop ]; do break; done"
        root.data.set("vision/models", "s3", {**location, "bucket": "none-such"}, "internal")
        state, message, log = run(root, data_server, gone, **write)
        assert state == "failed"
        assert "NoSuchBucket" in message
    finally:
        storage.stop()
