"""What an operator says of a machine: its labels and where it stands."""

from __future__ import annotations

import pytest

from podium.domain.errors import UserError
from podium.engines.local.site import Site, read_site


def test_labels_and_places_are_read() -> None:
    assert read_site() == Site()
    found = read_site(labels=["zone=secure", "gpu = a=b"], block="hall-a", rack="a1", nvlink="d.1")
    assert found.labels == (("gpu", "a=b"), ("zone", "secure"))
    assert (found.block, found.rack, found.nvlink) == ("hall-a", "a1", "d.1")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(UserError) as raised:
        read_site(labels=["zone", "!=x"], block="a b", rack="-", nvlink="x" * 64)
    assert [each.field for each in raised.value.faults] == [
        "block", "rack", "nvlink", "label", "label.!",
    ]  # fmt: skip
