"""What a packed source folder may hold, looked at before and while it is unpacked.

`intake/uploads` asks when one arrives, and the local engine again in the job's own process. Names
are judged by themselves, never by what lies on the disk, so that every server judges alike.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

PATH_BYTES_MAX = 4096
NAME_BYTES_MAX = 255
DEPTH_MAX = 64
_READ_BYTES_MAX = 2**20
_RATIO_MAX = 200
_RATIO_COUNTS_BYTES = 64 * 2**20


class ArchiveError(Exception):
    """The text is a sentence for people, which says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """Of everything in it, unpacked."""

    bytes_max: int = 4 * 2**30
    members_max: int = 200_000


def archive_open(file: IO[bytes], limits: ArchiveLimits, *, packed_bytes: int) -> tarfile.TarFile:
    """A gzipped tar archive that is read within `limits`. Raises ArchiveError, as reading it
    does through `archive_members`."""
    with _told():
        return tarfile.open(
            fileobj=_Bounded(gzip.GzipFile(fileobj=file), limits, packed_bytes),
            mode="r:",
            errorlevel=1,
        )


def archive_members(archive: tarfile.TarFile, limits: ArchiveLimits) -> Iterator[tarfile.TarInfo]:
    """Members as they come, until one may not be there. Raises ArchiveError."""
    unpacked_bytes = count = 0
    links: set[str] = set()
    with _told():
        while (member := archive.next()) is not None:
            count += 1
            unpacked_bytes += member.size
            if count > limits.members_max:
                raise ArchiveError(f"The archive holds more than {limits.members_max:,} files.")
            if member.size < 0 or unpacked_bytes > limits.bytes_max:
                raise ArchiveError(
                    f"The archive unpacks to more than {limits.bytes_max >> 20:,} MiB. Keep data "
                    "out of it, and mount it as a volume."
                )
            _check(member, links)
            yield member


def archive_check(file: IO[bytes], limits: ArchiveLimits, *, packed_bytes: int) -> int:
    """Look at all of it without writing anything. Returns how many members there are; raises
    ArchiveError."""
    with archive_open(file, limits, packed_bytes=packed_bytes) as archive:
        count, last = 0, None
        for count, last in enumerate(archive_members(archive, limits), 1):  # noqa: B007
            # Links would be looked up in them, and they are many.
            archive.members.clear()  # type: ignore[attr-defined]
        with _told():
            if last is not None and last.isreg() and last.size and not last.issparse():
                _read_last(archive, last)
    return count


def _read_last(archive: tarfile.TarFile, last: tarfile.TarInfo) -> None:
    """Those before it were passed on the way to it."""
    assert archive.fileobj is not None
    archive.fileobj.seek(last.offset_data + last.size - 1)
    if not archive.fileobj.read(1):
        raise tarfile.ReadError


def _check(member: tarfile.TarInfo, links: set[str]) -> None:
    name = _shown(member.name)
    parts = _parts(member.name)
    if parts is None:
        raise ArchiveError(f"The archive names {name}, which is outside of its folder.")
    if (
        len(member.name.encode(errors="surrogateescape")) > PATH_BYTES_MAX
        or any(len(each.encode(errors="surrogateescape")) > NAME_BYTES_MAX for each in parts)
        or len(parts) > DEPTH_MAX
        or "\0" in member.name
    ):
        raise ArchiveError(f"The archive names {name}, which is too long or too deep for a file.")
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise ArchiveError(
            f"The archive holds {name}, which is neither a file nor a folder nor a link."
        )
    path = "/".join(parts)
    if links and any("/".join(parts[:at]) in links for at in range(1, len(parts))):
        raise ArchiveError(f"The archive puts {name} behind a link of its own.")
    if member.issym():
        if not _stays(parts[:-1], member.linkname):
            raise ArchiveError(
                f"The archive's link {name} leads outside of its folder or cannot be followed."
            )
        links.add(path)
    elif member.islnk() and not _parts(member.linkname):
        raise ArchiveError(f"The archive's link {name} leads outside of its folder.")
    elif path in links:
        raise ArchiveError(f"The archive names {name} twice, once as a link.")


def _parts(name: str) -> list[str] | None:
    """The names on the way, without `.`; None where the way leads out or begins at the root."""
    parts = [each for each in name.split("/") if each not in ("", ".")]
    return None if name.startswith(("/", "\\")) or ".." in parts else parts


def _stays(folder: list[str], target: str) -> bool:
    """Whether a link in `folder` leads to a place inside. After the first steps up, names only:
    what `a/..` is depends on what `a` is."""
    if not target or "\0" in target or target.startswith("/") or len(target) > PATH_BYTES_MAX:
        return False
    steps = [each for each in target.split("/") if each not in ("", ".")]
    up = 0
    while up < len(steps) and steps[up] == "..":
        up += 1
    return ".." not in steps[up:] and up <= len(folder)


def _shown(name: str) -> str:
    text = "".join(each if each.isprintable() else "�" for each in name[:80])
    return f"'{text}…'" if len(name) > 80 else f"'{text}'"


@dataclass(slots=True)
class _told:  # noqa: N801 - it is used as a word
    """Turns the many errors of a broken archive into one."""

    _kinds: tuple[type[Exception], ...] = field(
        default=(tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, ValueError, KeyError,
                 OverflowError, RecursionError)
    )  # fmt: skip

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, tarfile.FilterError) or not isinstance(error, self._kinds):
            return
        raise ArchiveError(
            "It is not a whole tar archive, packed with gzip. Pack and upload it again."
        ) from None


class _Bounded(io.RawIOBase):
    """What is unpacked so far is bounded, and so is what is asked for at once: a header that says
    it is very long would be read into memory whole."""

    def __init__(self, inner: gzip.GzipFile, limits: ArchiveLimits, packed_bytes: int) -> None:
        self._inner = inner
        headers_bytes = limits.members_max * 2048
        self._bytes_max = limits.bytes_max + headers_bytes
        self._ratio_bytes_max = max(_RATIO_COUNTS_BYTES, packed_bytes * _RATIO_MAX)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._inner.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation
        self._check(offset)
        return self._inner.seek(offset)

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _READ_BYTES_MAX:
            raise ArchiveError("The archive has a header that is larger than 1 MiB.")
        self._check(self._inner.tell() + size)
        return self._inner.read(size)

    def _check(self, reaches: int) -> None:
        if reaches > self._bytes_max:
            raise ArchiveError(f"The archive unpacks to more than {self._bytes_max >> 20:,} MiB.")
        if reaches > self._ratio_bytes_max:
            raise ArchiveError(
                f"The archive unpacks to more than {_RATIO_MAX} times its size. Keep data out of "
                "it, and mount it as a volume."
            )
