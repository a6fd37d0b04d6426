"""Archives as an attacker packs them: each is refused in one sentence, and costs no memory."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.spec.archive import ArchiveError, ArchiveLimits, archive_check

LIMITS = ArchiveLimits(bytes_max=2**20, members_max=50)
WHOLE = ArchiveLimits()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"") -> tuple[
    tarfile.TarInfo, bytes
]:  # fmt: skip
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return info, data


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def looked(raw: bytes, limits: ArchiveLimits = LIMITS) -> int:
    return archive_check(io.BytesIO(raw), limits, packed_bytes=len(raw))


def test_a_good_one() -> None:
    raw = packed(
        member("./", tarfile.DIRTYPE),
        member("./code", tarfile.DIRTYPE),
        member("code/train.py", data=b"print(1)"),
        member("code/latest", tarfile.SYMTYPE, "../code/train.py"),
        member("code/again", tarfile.LNKTYPE, "code/train.py"),
        member("Großes/日本.txt", data=b"x" * 1000),
    )
    assert looked(raw) == 6


LINK = tarfile.SYMTYPE


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([member("../../x")], "outside"),
        ([member("/etc/x")], "outside"),
        ([member("a/../../x")], "outside"),
        ([member("\\windows")], "outside"),
        ([member("a", LINK, "/etc/passwd")], "leads outside"),
        ([member("a", LINK, "../x")], "leads outside"),
        ([member("d/a", LINK, "../../x")], "leads outside"),
        ([member("a", LINK, "b/../../x")], "leads outside"),
        ([member("a", LINK, "b/..")], "cannot be followed"),
        ([member("a", LINK, "")], "cannot be followed"),
        ([member("a", tarfile.LNKTYPE, "/etc/passwd")], "leads outside"),
        ([member("a", tarfile.LNKTYPE, "../x")], "leads outside"),
        ([member("a", LINK, "b"), member("a/x", data=b"1")], "behind a link"),
        ([member("a", LINK, "b"), member("./a//x", data=b"1")], "behind a link"),
        ([member("a", LINK, "b"), member("a", data=b"1")], "twice"),
        ([member("d", tarfile.CHRTYPE)], "neither"),
        ([member("d", tarfile.BLKTYPE)], "neither"),
        ([member("d", tarfile.FIFOTYPE)], "neither"),
        ([member("d", b"Z")], "neither"),
        ([member("x" * 300)], "too long"),
        ([member("a/" * 100 + "x")], "too deep"),
        ([member(f"f{n}") for n in range(60)], "50 files"),
        ([member("a", data=b"x" * 700_000), member("b", data=b"x" * 700_000)], "MiB"),
        ([member("../\x1b[2J\n")], "outside"),
    ],
)
def test_what_may_not_be_in_it(members: list[tuple[tarfile.TarInfo, bytes]], words: str) -> None:
    with pytest.raises(ArchiveError, match=words) as told:
        looked(packed(*members))
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 300


def header(name: str, kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def bomb_of_zeros(size: int) -> bytes:
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1) as file:
        file.write(header("zeros", tarfile.REGTYPE, size))
        for _ in range(size >> 20):
            file.write(b"\0" * 2**20)
    return target.getvalue()


def test_a_bomb_is_noticed_by_how_much_smaller_it_is() -> None:
    with pytest.raises(ArchiveError, match="200 times"):
        looked(bomb_of_zeros(256 * 2**20), WHOLE)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_says_it_is_huge_is_not_read(kind: bytes) -> None:
    raw = gzip.compress(header("x", kind, 3 * 2**30) + b"\0" * 2**20)
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="larger than 1 MiB"):
        looked(raw, WHOLE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


def pax(words: bytes) -> bytes:
    return header("x", tarfile.XHDTYPE, len(words)) + words.ljust(512, b"\0")


CUT = packed(member("a", data=os.urandom(100_000)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"\x1f\x8b",
        lambda: gzip.compress(b"no tar at all" * 100),
        lambda: CUT[: len(CUT) // 2],
        lambda: gzip.compress(gzip.decompress(CUT)[:50_000]),
        lambda: gzip.compress(header("a", tarfile.REGTYPE, 100_000) + b"x" * 50),
        lambda: gzip.compress(pax(b"30 GNU.sparse.size=" + b"9" * 400 + b"\n")),
        lambda: gzip.compress(pax(b"99999999999 path=x\n")),
    ],
)
def test_what_is_broken_says_so(make: Callable[[], bytes]) -> None:
    with pytest.raises(ArchiveError):
        looked(make(), WHOLE)


@given(raw=st.binary(max_size=2000), at=st.integers(0, 1400), zipped=st.booleans())
def test_damage_ends_in_one_kind_of_error(raw: bytes, at: int, zipped: bool) -> None:
    good = bytearray(gzip.decompress(packed(member("a/b", data=b"x"), member("c", LINK, "a"))))
    good[at : at + len(raw)] = raw
    with contextlib.suppress(ArchiveError):
        looked(gzip.compress(bytes(good)) if zipped else raw)
