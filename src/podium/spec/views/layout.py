"""MIG layouts: how a GPU is cut, how it is to be, and the steps between."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from podium.spec.views.base import View
from podium.spec.views.node import DeviceView, HolderView

_LAYOUT_MAX = 400


class ProfileView(View):
    """One kind of instance that a board can be cut into."""

    name: str = Field(examples=["3g.40gb"])
    compute_slices: int
    memory_slices: int
    memory_bytes: int
    starts: list[int] = Field(description="Memory slices at which it may begin.")
    max_instances: int
    media: bool = Field(description="With the media engines; one such instance at most.")


class InstanceView(View):
    """An instance of a layout."""

    profile: str
    start: int
    size: int = Field(description="How many memory slices it has.")


class LayoutStepView(View):
    """One thing to do, in its order."""

    act: Literal["turn_on", "end", "wait", "make"]
    profile: str = ""
    start: int = 0
    text: str = Field(examples=["End 1g.10gb at slice 0."])
    holder: HolderView | None = Field(
        None, description="Whose work it waits for, if the reader may see that."
    )
    movable: bool = Field(
        False, description="That work can start again elsewhere: it has saved what it did."
    )
    stays: str = Field("", description="Why it cannot.", examples=["it has saved nothing yet"])


class WantedLayoutView(View):
    """How an operator wants the GPU to be cut."""

    layout: str = Field(examples=["1g.10gb@0,3g.40gb@4"])
    instances: list[InstanceView]
    kept: bool = Field(description="Pinned: kept for good. Else until it stands.")
    moves: bool = Field(description="Saved work in its way starts again elsewhere.")
    set_by: str
    set_at: datetime
    stands: bool
    message: str = Field(description="What it waits for, or why it cannot be made.")


class LayoutView(View):
    """One GPU and its layout. `steps` are those that are left."""

    node: str
    gpu: DeviceView
    profiles: list[ProfileView] = Field(description="The smallest first.")
    layout: str = Field(description="What stands.", examples=["3g.40gb@4"])
    wanted: WantedLayoutView | None = None
    steps: list[LayoutStepView] = Field(default_factory=list)


class LayoutPlanRequest(View):
    """A layout as people write it."""

    layout: str = Field(
        max_length=_LAYOUT_MAX,
        description="Instances with their starts, which may be left out; `none` for no instance.",
        examples=["3g.40gb@4,4x1g.10gb"],
    )


class LayoutRequest(View):
    """Has a GPU cut like that."""

    layout: str | None = Field(
        None, max_length=_LAYOUT_MAX, description="Left out: what stands now."
    )
    keep: bool = Field(True, description="Pin it. Else it is made once, and then forgotten.")
    move: bool = Field(
        False, description="Have saved work that is in the way start again elsewhere."
    )


class LayoutRoomView(View):
    """How many more instances of one profile could be placed, now and once the layout stands."""

    profile: str
    before: int
    after: int


class LayoutPlanView(View):
    """What would be done; nothing was."""

    layout: str
    instances: list[InstanceView]
    steps: list[LayoutStepView]
    room: list[LayoutRoomView] = Field(description="The smallest profile first.")


class MigModeRequest(View):
    enabled: bool


class PackRequest(View):
    """Makes room for large instances."""

    apply: bool = Field(False, description="Do it; else only say what would be done.")
    moves: int = Field(8, ge=1, le=8, description="How much work may be moved at most.")


class PackMoveView(View):
    """Work that starts again elsewhere. Where it then stands the scheduler decides; a place that
    would do is named."""

    workload_id: str
    name: str
    project: str
    profile: str
    node: str
    gpu: int
    start: int
    target_node: str
    target_gpu: int
    target_start: int


class PackRoomView(View):
    """How many instances of a profile fit on all GPUs of a board that are not pinned."""

    board: str
    profile: str
    before: int
    after: int


class PackView(View):
    applied: bool
    moves: list[PackMoveView]
    room: list[PackRoomView] = Field(description="By board, the largest profile first.")
