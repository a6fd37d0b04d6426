"""Sealed values open for their own project and name, with a key that is there; not otherwise."""

from __future__ import annotations

import base64
import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.errors import ConflictError
from podium.store.keyring import KeyRing, KeysError
from podium.store.sealing import Sealer, key_id_of

PLACE = {"project": "vision", "name": "KEY"}


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer(tmp_path / "secret.key")


def sealed(sealer: Sealer, value: str) -> bytes:
    return sealer.seal(value, **PLACE, key_id=sealer.ring.first_id(sealed=False))


@given(value=st.text(max_size=50))
def test_what_was_sealed_opens(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.getbasetemp() / "sealing.key"
    value = value.encode(errors="replace").decode()
    first = sealed(Sealer(path), value)
    again = sealed(Sealer(path), value)
    assert first != again
    assert Sealer(path).unseal(first, **PLACE) == Sealer(path).unseal(again, **PLACE) == value
    assert not value or len(value) < 4 or value.encode() not in first


@pytest.mark.parametrize("place", [{"project": "speech"}, {"name": "OTHER"}])
def test_a_row_that_was_moved_does_not_open(sealer: Sealer, place: dict[str, str]) -> None:
    value = sealed(sealer, "s3cret")
    with pytest.raises(KeysError, match="sealed for another project or name") as told:
        sealer.unseal(value, **{**PLACE, **place})
    assert "s3cret" not in str(told.value)


def test_every_changed_byte_is_seen(sealer: Sealer) -> None:
    value = sealed(sealer, "s3cret")
    for at in range(len(value)):
        other = bytearray(value)
        other[at] ^= 1
        with pytest.raises(KeysError):
            sealer.unseal(bytes(other), **PLACE)


def test_what_the_first_version_sealed_opens(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key = Fernet.generate_key()
    path.write_bytes(key)
    sealer = Sealer(path)
    assert sealer.unseal(Fernet(key).encrypt(b"old"), **PLACE) == "old"
    new = sealed(sealer, "new")
    assert key_id_of(new) == sealer.ring.all()[0].id
    assert path.read_bytes() == key, "the same key, and nothing to convert"
    with pytest.raises(KeysError, match="does not open with any key"):
        sealer.unseal(Fernet(Fernet.generate_key()).encrypt(b"old"), **PLACE)


def test_the_file_is_for_the_server_alone(sealer: Sealer) -> None:
    sealed(sealer, "x")
    path = sealer.ring.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not sealer.ring.exposed
    path.chmod(0o640)
    assert sealer.ring.exposed
    assert sorted(each.name for each in path.parent.iterdir()) == ["secret.key", "secret.key.lock"]


def test_a_missing_key_is_not_made_anew_while_something_is_sealed(sealer: Sealer) -> None:
    value = sealed(sealer, "x")
    kept = sealer.ring.path.read_bytes()
    sealer.ring.path.unlink()
    with pytest.raises(KeysError, match=r"key file .* is missing. Restore it"):
        sealer.ring.first_id(sealed=True)
    with pytest.raises(KeysError, match=f"sealed with key {key_id_of(value)}, which is not in"):
        sealer.unseal(value, **PLACE)
    assert not sealer.opens(value)
    sealer.ring.path.write_bytes(kept)
    assert sealer.unseal(value, **PLACE) == "x", "without a restart"


@pytest.mark.parametrize("content", [b"", b"# none\n", b"short\n", b"\xff\xfe", b"A" * 300])
def test_a_file_of_something_else_is_named(sealer: Sealer, content: bytes) -> None:
    sealer.ring.path.write_bytes(content)
    with pytest.raises(KeysError, match="does not hold keys") as told:
        sealer.ring.all()
    assert "AAAA" not in str(told.value)
    assert not sealer.opens(b"gAAAA")


def test_keys_of_the_environment_cannot_be_changed(tmp_path: Path) -> None:
    keys = [base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2)]
    ring = KeyRing(tmp_path / "secret.key", text=",".join(keys))
    assert len(ring.all()) == 2
    assert not ring.writable
    assert ring.place == "PODIUM_SECRET_KEYS"
    assert keys[0] not in repr(ring.all())


def test_a_new_key_stands_in_front(sealer: Sealer) -> None:
    old = sealed(sealer, "x")
    new = sealer.ring.add()
    assert [key.id for key in Sealer(sealer.ring.path).ring.all()] == [new.id, key_id_of(old)]
    sealer.ring.remove({str(key_id_of(old))})
    assert [key.id for key in sealer.ring.all()] == [new.id]


def test_two_servers_that_make_the_first_key_agree(tmp_path: Path) -> None:
    for turn in range(20):
        path = tmp_path / f"key-{turn}"
        start = threading.Barrier(2)
        made: list[str] = []

        def make(ring: KeyRing, start: threading.Barrier, made: list[str]) -> None:
            start.wait()
            made.append(ring.first_id(sealed=False))

        threads = [
            threading.Thread(target=make, args=(KeyRing(path), start, made)) for _ in range(2)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(set(made)) == 1


def test_keys_are_changed_by_one_at_a_time(sealer: Sealer) -> None:
    other = KeyRing(sealer.ring.path)
    with sealer.ring.held(), pytest.raises(ConflictError, match="being changed"), other.held():
        pass
    with other.held():
        pass
