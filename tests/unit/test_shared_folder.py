"""The folder that all servers of one database have in common."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from podium.domain.errors import UserError
from podium.server import Settings
from podium.server.home import sealer_of, shared_made
from podium.server.settings import data_roots_of


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        host="127.0.0.1",
        port=0,
        database=None,
        virtual_gpus=None,
        virtual_gpu_type="A100",
        node_name=None,
    )


def test_without_one_all_is_at_home(alone: Settings) -> None:
    assert alone.common == alone.home
    shared_made(alone)
    assert not alone.home.exists()


def test_it_is_made_for_nobody_else_and_holds_the_keys(alone: Settings, tmp_path: Path) -> None:
    settings = replace(alone, shared=tmp_path / "files" / "podium")
    shared_made(settings)
    shared_made(settings)
    assert settings.common.stat().st_mode & 0o777 == 0o700
    assert sealer_of(settings).ring.path == settings.common / "secret.key"


def test_what_is_no_folder_is_refused(alone: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="shared"):
        shared_made(replace(alone, shared=tmp_path / "file"))


def test_no_data_source_may_be_in_it(alone: Settings, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "data").mkdir(parents=True)
    for root in (shared, shared / "data", tmp_path):
        with pytest.raises(UserError, match="overlap"):
            data_roots_of(replace(alone, shared=shared, data_roots=(root,)))
