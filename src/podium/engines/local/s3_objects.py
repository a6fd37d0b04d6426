"""Copies objects of S3-compatible storage into a folder, and files back. A process of its own
(`s3_transfer` starts it) with an order on standard input; progress is told on standard output, and
what went wrong as the last line on standard error. Written back is in the shim itself.

Files of a job are opened step by step and never through a link, since the job may have put one
anywhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from podium.domain.errors import PodiumError
from podium.domain.outbound import outbound_read
from podium.domain.quantity import format_bytes
from podium.outbound.resolve import resolve

OBJECTS_MAX = 1_000_000
_PIECE_BYTES = 1 << 20
_TELL_SECONDS = 5.0
_INDEX = "index.json"
_PART_BYTES = 16 << 20


class TransferError(Exception):
    """The message is for people."""


def client_of(order: dict[str, Any]) -> Minio:
    """Connects only where the operator's guard lets it, whatever a name or a redirect says."""
    outbound = outbound_read(order["allowed"], order["reach"])

    def connect(connection: HTTPConnection) -> Any:
        last: OSError | None = None
        port = connection.port or connection.default_port
        for address in resolve(outbound, connection.host, port):
            try:
                return create_connection((address, port), connection.timeout)
            except OSError as error:
                last = error
        assert last is not None, "a resolved name has an address"
        raise urllib3.exceptions.NewConnectionError(connection, f"no connection: {last}") from last

    class Plain(HTTPConnection):
        def _new_conn(self) -> Any:
            return connect(self)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> Any:
            return connect(self)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Encrypted

    pools = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=10, read=60),
        retries=urllib3.Retry(total=3, backoff_factor=0.3, status_forcelist=[500, 502, 503, 504]),
    )
    pools.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
    location = order["location"]
    url = urlsplit(location["endpoint"])
    key_id, _, key = str(order["keys"]).strip().partition(":")
    return Minio(
        url.netloc,
        access_key=key_id or None,
        secret_key=key or None,
        secure=url.scheme == "https",
        region=location.get("region") or "us-east-1",
        http_client=pools,
    )


def parts_of(key: str, prefix: str) -> tuple[str, ...]:
    """The path of an object below its prefix. Raises TransferError for a key that would lead out of
    it, or that no file can have."""
    rest = key.removeprefix(prefix)
    parts = tuple(rest.split("/"))
    if any(part in ("", ".", "..") or "\0" in part or len(part.encode()) > 255 for part in parts):
        raise TransferError(
            f"The object {key[:120]!r} has a name that cannot be a file below the source's folder."
        )
    return parts


def fetch(order: dict[str, Any]) -> None:
    """What is there already as it was is not fetched again; what went away is removed."""
    place, location = Path(order["place"]), order["location"]
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    files = place / "files"
    files.mkdir(mode=0o755, exist_ok=True)
    files.chmod(0o755)
    client, bucket = client_of(order), location["bucket"]
    prefix = f"{location['prefix']}/" if location.get("prefix") else ""
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((place / _INDEX).read_text())
    found: dict[str, Any] = {}
    total = 0
    for each in client.list_objects(bucket, prefix=prefix or None, recursive=True):
        key = str(each.object_name)
        if key.endswith("/"):
            continue
        name = "/".join(parts_of(key, prefix))
        found[name] = {"key": key, "etag": each.etag, "size": each.size or 0}
        total += each.size or 0
        if len(found) > OBJECTS_MAX:
            raise TransferError(f"It has more than {OBJECTS_MAX:,} objects; name a prefix.")
    for name in found:
        above = name.split("/")[:-1]
        for end in range(1, len(above) + 1):
            if "/".join(above[:end]) in found:
                raise TransferError(f"The object {name!r} would be a file inside of a file.")
    progress = _Progress(order["source"], len(found), total)
    for name, about in found.items():
        old = known.get(name)
        if old is None or old["etag"] != about["etag"] or not (files / name).is_file():
            _get(client, bucket, about["key"], files / name, progress)
        progress.done(about["size"])
    for name in known.keys() - found.keys():
        (files / name).unlink(missing_ok=True)
    if order["uid"] is not None and order["write"]:
        _give(files, int(order["uid"]))
    if order["write"]:
        for name, about in found.items():
            about["mtime_ns"] = (files / name).stat().st_mtime_ns
    part = place / f"{_INDEX}.new"
    part.write_text(json.dumps(found))
    part.replace(place / _INDEX)
    progress.tell(last=True)


def write_back(order: dict[str, Any], over: Callable[[], bool]) -> None:
    """Files that are new or changed, until it is `over`; nothing is deleted. Starts no thread and
    no process: a shim whose job has ended can do neither."""
    place, location = Path(order["place"]), order["location"]
    known = json.loads((place / _INDEX).read_text())
    client, bucket = client_of(order), location["bucket"]
    prefix = f"{location['prefix']}/" if location.get("prefix") else ""
    root = os.open(place / "files", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    for name, descriptor, about in _files(root, ""):
        with os.fdopen(descriptor, "rb") as file:
            old = known.get(name)
            if old and (old["size"], old["mtime_ns"]) == (about.st_size, about.st_mtime_ns):
                continue
            client.put_object(
                bucket,
                f"{prefix}{name}",
                cast("BinaryIO", _Watched(file, over)),
                about.st_size,
                part_size=_PART_BYTES,
                num_parallel_uploads=1,
            )


class _Watched(io.RawIOBase):
    """A file that cannot be read any more once it is over."""

    def __init__(self, file: BinaryIO, over: Callable[[], bool]) -> None:
        super().__init__()
        self._file, self._over = file, over

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._over():
            raise TransferError("It was stopped before all was written.")
        return self._file.read(size)


def _files(folder: int, above: str) -> Iterator[tuple[str, int, os.stat_result]]:
    """Regular files below, opened, with their paths; links and all else are passed over."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        for name in sorted(os.listdir(folder)):
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            try:
                if stat.S_ISDIR(about.st_mode):
                    below = os.open(name, flags | os.O_DIRECTORY, dir_fd=folder)
                    yield from _files(below, f"{above}{name}/")
                elif stat.S_ISREG(about.st_mode):
                    file = os.open(name, flags | os.O_NONBLOCK, dir_fd=folder)
                    told = os.fstat(file)
                    if stat.S_ISREG(told.st_mode) and told.st_nlink == 1:
                        yield f"{above}{name}", file, told
                    else:
                        os.close(file)
            except FileNotFoundError:
                continue
    finally:
        os.close(folder)


def _get(client: Minio, bucket: str, key: str, path: Path, progress: _Progress) -> None:
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
    part = path.with_name(f".{path.name[:200]}.part")
    answer = client.get_object(bucket, key)
    try:
        with part.open("wb") as file:
            for piece in answer.stream(_PIECE_BYTES):
                file.write(piece)
                progress.tell()
    finally:
        answer.close()
        answer.release_conn()
    part.chmod(0o644)
    part.replace(path)


def _give(folder: Path, uid: int) -> None:
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(above) / name, uid, uid, follow_symlinks=False)
    os.chown(folder, uid, uid)


class _Progress:
    def __init__(self, source: str, count: int, size: int) -> None:
        self._source, self._count, self._size = source, count, size
        self._done = self._bytes = 0
        self._told = time.monotonic()

    def done(self, size: int) -> None:
        self._done += 1
        self._bytes += size
        self.tell()

    def tell(self, *, last: bool = False) -> None:
        if last or time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            _say(
                f"{self._source}: {self._done:,} of {self._count:,} objects, "
                f"{format_bytes(self._bytes)} of {format_bytes(self._size)}."
            )


def _say(words: str) -> None:
    sys.stdout.write(f"podium: {words}\n")
    sys.stdout.flush()


def attempt(work: Callable[[], None]) -> str:
    """Does it. What went wrong, in words, or ""."""
    try:
        work()
    except S3Error as error:
        return f"The server says {error.code}: {error.message}"
    except (TransferError, PodiumError) as error:
        return str(error)
    except (MinioException, urllib3.exceptions.HTTPError, ValueError) as error:
        return f"The server did not answer as S3 does: {error}"
    except OSError as error:
        return f"The node's disk: {error.strerror or error}."
    return ""


def main() -> int:
    order = json.load(sys.stdin)
    words = attempt(lambda: fetch(order))
    if words:
        sys.stderr.write(" ".join(words.split()) + "\n")
    return 1 if words else 0


if __name__ == "__main__":
    sys.exit(main())
