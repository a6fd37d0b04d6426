"""The file of sign-ins, and which server and token a client takes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from podium.client.config import Config, Context, config_load, config_save, target
from podium.domain.errors import UserError

ONE = "http://one:8470"
TWO = "http://two:8470"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inner" / "config.json"


def kept(path: Path) -> dict[str, str]:
    config = Config().with_context(TWO, Context(token="t2"))
    config_save(path, config.with_context(ONE, Context(token="t1", username="ada", project="p")))
    return {"PODIUM_CONFIG": str(path)}


def test_what_is_saved_is_loaded(path: Path) -> None:
    kept(path)
    loaded = config_load(path)
    assert loaded.current == ONE
    assert loaded.context(ONE) == Context(token="t1", username="ada", project="p")
    assert loaded.context("http://three") == Context()


def test_only_the_owner_reads_it_and_nothing_else_is_left(path: Path) -> None:
    kept(path)
    path.chmod(0o644)
    kept(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_a_missing_file_is_empty(path: Path) -> None:
    assert config_load(path) == Config()


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"contexts": 3}', "\xff\x00"])
def test_a_damaged_file_is_told(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="is damaged"):
        config_load(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="PODIUM_CONFIG"):
        config_save(tmp_path / "file" / "config.json", Config())


def test_signing_out_keeps_the_project(path: Path) -> None:
    kept(path)
    out = config_load(path).signed_out(ONE)
    assert out.context(ONE) == Context(project="p")
    assert out.context(TWO).token == "t2"


def test_the_file_stands_behind_the_environment(path: Path) -> None:
    variables = kept(path)
    assert (target(environ=variables).server, target(environ=variables).token) == (ONE, "t1")
    chosen = target(environ={**variables, "PODIUM_TOKEN": "e", "PODIUM_PROJECT": "q"})
    assert (chosen.server, chosen.token, chosen.project) == (ONE, "e", "q")


def test_a_token_goes_to_its_own_server_only(path: Path) -> None:
    variables = kept(path)
    assert target(TWO, environ=variables).token == "t2"
    assert target("http://three", environ=variables).token is None
    both = {**variables, "PODIUM_SERVER": ONE, "PODIUM_TOKEN": "e"}
    assert target(environ=both).token == "e"
    assert target(TWO, environ=both).token == "t2"


def test_without_anything_it_is_this_machine(path: Path) -> None:
    assert target(environ={"PODIUM_CONFIG": str(path)}).server == "http://127.0.0.1:8470"


def test_the_file_is_plain_json(path: Path) -> None:
    kept(path)
    document = json.loads(path.read_text())
    assert document["contexts"][TWO] == {"token": "t2"}
