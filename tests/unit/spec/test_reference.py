"""docs/spec.md says what the models say."""

from __future__ import annotations

from pathlib import Path

from podium.spec.reference import reference
from podium.spec.schema import WorkloadSpec

PAGE = Path(__file__).parents[3] / "docs" / "spec.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(), (
        "docs/spec.md is old: python -m podium.spec.reference > docs/spec.md"
    )


def test_every_field_has_a_row() -> None:
    page = reference()
    assert all(f"| `{field}` |" in page for field in WorkloadSpec.model_fields)
