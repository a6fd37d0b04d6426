"""How a GPU is cut, in the console: instances are dragged onto its slices, with the pointer and
with keys; MIG is turned on; and what of the free GPUs is of no use."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from journeys.browser import LOOKS, NARROW, WIDE, Open, heading, sign_in
from journeys.serving import Server

pytestmark = pytest.mark.browser
NODE = "cut-1"


@pytest.fixture(scope="module")
def cut_server(make_server: Callable[..., Server]) -> Server:
    boards = "1xH100-80GB:mig,1xH100-80GB"
    return make_server("cut", options=("--virtual-gpus", boards, "--node-name", NODE))


def _editor(page: Page) -> Locator:
    page.get_by_role("button", name="Layout of GPU 0").click()
    dialog = page.get_by_role("dialog", name="Layout of GPU 0")
    expect(dialog.get_by_role("region", name="Steps")).to_contain_text("This is how it stands")
    return dialog


def _standing(dialog: Locator) -> Locator:
    return dialog.get_by_role("button", name=re.compile("Arrow keys"))


def _centre(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _over(dialog: Locator, slice_: float) -> tuple[float, float]:
    """The place of the pointer over a slice of the eight."""
    box = dialog.get_by_role("list", name="Instances of the new layout").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (slice_ + 0.5) / 8, box["y"] + box["height"] / 2


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[f"{a[0]}-{b}" for a, b in LOOKS])
def test_the_editor_in_every_light(
    cut_server: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, cut_server, f"/nodes/{NODE}")
        expect(heading(page, NODE)).to_be_visible()
        opened.seen("node-cut")
        dialog = _editor(page)
        opened.seen("layout-editor")
        for profile in ("3g.40gb", "1g.10gb", "1g.10gb+me"):
            dialog.get_by_role("button", name=f"Add {profile} where there is room").click()
        expect(dialog.get_by_role("region", name="Steps").get_by_role("listitem")).to_have_count(3)
        opened.seen("layout-editor-changed")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Turn MIG on on GPU 1").click()
        expect(page.get_by_role("dialog")).to_contain_text("The GPU is idle")
        opened.seen("mig-mode")
        page.goto(f"{cut_server.url}/nodes?view=fragmentation")
        expect(
            page.get_by_role("main").get_by_text(re.compile("^Stranded is what"))
        ).to_be_visible()
        opened.seen("nodes-fragmentation")


def test_an_instance_is_dragged(cut_server: Server, window: Open) -> None:
    with window(WIDE) as opened:
        page = sign_in(opened, cut_server, f"/nodes/{NODE}")
        dialog, mouse = _editor(page), page.mouse
        said = dialog.get_by_role("status")

        def drag(what: Locator, *places: tuple[float, float]) -> None:
            mouse.move(*_centre(what))
            mouse.down()
            for place in places:
                mouse.move(*place, steps=4)

        half = dialog.get_by_role("button", name="Add 3g.40gb where")
        drag(half, _over(dialog, 6))
        expect(said).to_have_text("3g.40gb at slice 4.")
        opened.show("layout-drag")
        mouse.up()
        expect(_standing(dialog)).to_have_count(1)

        # Again to the same place: it says why not, and nothing is dropped there.
        drag(half, _over(dialog, 6))
        expect(said).to_have_text("3g.40gb does not fit there: 3g.40gb at slice 4 is there.")
        opened.show("layout-drag-refused")
        mouse.up()
        expect(_standing(dialog)).to_have_count(1)

        # Along the slices, then off them, the last taken back with Escape.
        drag(_standing(dialog), _over(dialog, 1))
        mouse.up()
        expect(_standing(dialog)).to_have_attribute("title", "3g.40gb at slice 0")
        off = (_over(dialog, 1)[0], _over(dialog, 1)[1] + 300)
        drag(_standing(dialog), off)
        expect(said).to_have_text("Let go to remove 3g.40gb.")
        page.keyboard.press("Escape")
        mouse.up()
        expect(_standing(dialog)).to_have_count(1)
        expect(dialog).to_be_visible()
        drag(_standing(dialog), off)
        mouse.up()
        expect(_standing(dialog)).to_have_count(0)
        expect(dialog.get_by_role("region", name="Steps")).to_contain_text("This is how it stands")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_layout_by_keys_alone(cut_server: Server, window: Open, size: tuple[int, int]) -> None:
    with window(size) as opened:
        page = sign_in(opened, cut_server, f"/nodes/{NODE}")
        dialog = _editor(page)
        dialog.get_by_role("button", name="Add 2g.20gb where").press("Enter")
        standing = _standing(dialog)
        standing.press("ArrowRight")
        expect(standing).to_be_focused()
        expect(standing).to_have_attribute("title", "2g.20gb at slice 2")
        dialog.get_by_role("button", name="Apply").press("Enter")
        expect(dialog).to_have_count(0)
        bar = page.get_by_role("list", name="MIG instances of GPU 0")
        expect(bar.get_by_text("2g.20gb")).to_be_visible()
        expect(page.get_by_text("Pinned: only these instances get work.")).to_be_visible()

        # As it was, for whoever comes next.
        page.get_by_role("button", name="Layout of GPU 0").click()
        _standing(dialog).press("Delete")
        expect(_standing(dialog)).to_have_count(0)
        dialog.get_by_role("button", name="Apply").click()
        expect(bar.get_by_text("2g.20gb")).to_have_count(0)
        page.get_by_role("button", name="Layout of GPU 0").click()
        dialog.get_by_role("button", name="Unpin").click()
        expect(page.get_by_text("Pinned: only these instances get work.")).to_have_count(0)


def test_mig_is_turned_on_and_off(cut_server: Server, window: Open) -> None:
    with window(WIDE) as opened:
        page = sign_in(opened, cut_server, f"/nodes/{NODE}")
        page.get_by_role("button", name="Turn MIG on on GPU 1").click()
        page.get_by_role("dialog").get_by_role("button", name="Turn MIG on").click()
        expect(page.get_by_role("list", name="MIG instances of GPU 1")).to_be_visible()
        page.get_by_role("button", name="Turn MIG off on GPU 1").click()
        page.get_by_role("dialog").get_by_role("button", name="Turn MIG off").click()
        expect(page.get_by_role("button", name="Turn MIG on on GPU 1")).to_be_visible()
