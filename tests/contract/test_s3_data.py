"""Object storage fetched into a folder and written back, against a real server on loopback that
speaks S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from moto.server import ThreadedMotoServer

from podium.engines.local import s3_transfer
from podium.engines.local.s3_objects import TransferError, parts_of
from podium.engines.local.source import PrepareError

KEYS = "key-id:key"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint: str, request: pytest.FixtureRequest) -> Minio:
    client = Minio(endpoint.removeprefix("http://"), "key-id", "key", secure=False)
    for each in client.list_buckets():
        for found in client.list_objects(each.name, recursive=True):
            client.remove_object(each.name, str(found.object_name))
    if not client.bucket_exists("data"):
        client.make_bucket("data")
    return client


def put(store: Minio, key: str, content: bytes) -> None:
    import io

    store.put_object("data", key, io.BytesIO(content), len(content))


def order(endpoint: str, place: Path, **facts: Any) -> dict[str, Any]:
    location = {"endpoint": endpoint, "bucket": "data", **facts.pop("location", {})}
    return {
        "source": "models", "kind": "s3", "place": str(place), "root": f"{place}/files",
        "write": False, "location": location, "packages": sysconfig.get_path("platlib"),
        "reach": "private", "allowed": ["127.0.0.1"], **facts,
    }  # fmt: skip


def tree(place: Path) -> dict[str, bytes]:
    files = place / "files"
    return {str(each.relative_to(files)): each.read_bytes() for each in files.rglob("*.*")}


def test_what_changed_is_fetched_and_what_went_is_removed(
    endpoint: str, store: Minio, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for key, content in {
        "in/a.bin": b"a" * 3_000_000,
        "in/deep/b.txt": b"b",
        "out/c.txt": b"c",
    }.items():
        put(store, key, content)
    wanted = order(endpoint, tmp_path / "cache", location={"prefix": "in"})
    s3_transfer.fetch(wanted, KEYS, None)
    assert tree(tmp_path / "cache") == {"a.bin": b"a" * 3_000_000, "deep/b.txt": b"b"}
    assert "podium: models: 2 of 2 objects, 2.9 MiB of 2.9 MiB." in capfd.readouterr().out
    before = (tmp_path / "cache/files/a.bin").stat().st_ino
    put(store, "in/deep/b.txt", b"new")
    put(store, "in/d.txt", b"d")
    s3_transfer.fetch(wanted, KEYS, None)
    assert (tmp_path / "cache/files/a.bin").stat().st_ino == before
    store.remove_object("data", "in/d.txt")
    s3_transfer.fetch(wanted, KEYS, None)
    assert tree(tmp_path / "cache") == {"a.bin": b"a" * 3_000_000, "deep/b.txt": b"new"}


def test_what_was_made_is_written_back_and_links_are_not_followed(
    endpoint: str, store: Minio, tmp_path: Path
) -> None:
    put(store, "a.txt", b"a")
    put(store, "same.txt", b"same")
    (tmp_path / "host.key").write_text("nobody's business")
    wanted = order(endpoint, tmp_path / "own", write=True)
    s3_transfer.fetch(wanted, KEYS, os.getuid() if os.getuid() == 0 else None)
    files = tmp_path / "own/files"
    (files / "a.txt").write_text("changed")
    (files / "sub").mkdir()
    (files / "sub/new.txt").write_text("new")
    (files / "leak.txt").symlink_to(tmp_path / "host.key")
    (files / "out").symlink_to(tmp_path)
    os.mkfifo(files / "pipe.txt")
    stands = {each.object_name: each.last_modified for each in store.list_objects("data")}
    assert s3_transfer.write_back(wanted, KEYS, over=lambda: False) == ""
    found = {str(each.object_name): each for each in store.list_objects("data", recursive=True)}
    assert set(found) == {"a.txt", "same.txt", "sub/new.txt"}
    assert found["same.txt"].last_modified == stands["same.txt"]
    assert store.get_object("data", "a.txt").read() == b"changed"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"location": {"bucket": "none-such"}}, "NoSuchBucket"),
        ({"allowed": []}, "is this server's own machine, so the server does not connect to it"),
        ({"location": {"endpoint": "http://127.0.0.1:9"}}, "The server did not answer as S3 does"),
        ({"location": {"endpoint": "http://metadata.google.internal"}}, "tells secrets"),
    ],
)
def test_what_goes_wrong_is_told(
    endpoint: str, store: Minio, tmp_path: Path, facts: dict[str, Any], words: str
) -> None:
    with pytest.raises(PrepareError, match="The data source models could not be read") as raised:
        s3_transfer.fetch(order(endpoint, tmp_path / "x", **facts), KEYS, None)
    assert words in str(raised.value)
    assert raised.value.cause == "data_failed"


def test_a_file_that_is_also_a_folder_is_refused(
    endpoint: str, store: Minio, tmp_path: Path
) -> None:
    put(store, "a", b"1")
    put(store, "a/b", b"2")
    with pytest.raises(PrepareError, match="a file inside of a file"):
        s3_transfer.fetch(order(endpoint, tmp_path / "x"), KEYS, None)


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/x", "a//b", "./a", "a\0b", "n" * 256])
def test_no_key_leads_out_of_the_folder(key: str) -> None:
    with pytest.raises(TransferError, match="cannot be a file below"):
        parts_of(f"in/{key}", "in/")


def test_keys_are_in_no_argument_and_no_environment(tmp_path: Path) -> None:
    """Who lists processes sees neither."""
    running = subprocess.run(
        [sys.executable, "-I", "-m", "podium.engines.local.s3_objects", "fetch"],
        input=json.dumps(order("http://127.0.0.1:9", tmp_path, keys=KEYS, uid=None, allowed=[])),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert running.returncode == 1
    assert KEYS not in running.stdout + running.stderr
