"""MIG layouts of GPUs: what stands, what is wanted, and how to get there."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who
from podium.api.nodes import node_views
from podium.api.parameters import NodeName
from podium.domain.layouts import Step, layout_text, placed_of
from podium.domain.mig import Placed
from podium.domain.rights import Action
from podium.domain.tenancy import WHOLE, Identity
from podium.intake.layouts import (
    Planned,
    layout_plan,
    layout_set,
    layout_unset,
    mode_set,
    pack_apply,
    pack_plan,
    planned,
    rooms,
    target_fetch,
)
from podium.intake.office import authorise
from podium.scheduling.placing.relayout import Packed
from podium.spec.views.base import utc
from podium.spec.views.layout import (
    InstanceView,
    LayoutPlanRequest,
    LayoutPlanView,
    LayoutRequest,
    LayoutRoomView,
    LayoutStepView,
    LayoutView,
    MigModeRequest,
    PackMoveView,
    PackRequest,
    PackRoomView,
    PackView,
    ProfileView,
    WantedLayoutView,
)
from podium.spec.views.node import DeviceView, HolderView
from podium.store import nodes, workloads
from podium.store.database import Transaction
from podium.store.layouts import WantedLayout, stands

router = APIRouter(tags=["layouts"])

GpuIndex = Annotated[int, Path(ge=0, le=10_000, description="The GPU's index on its node.")]
_PATH = "/nodes/{name}/gpus/{index}"


@router.get(f"{_PATH}/layout", response_model=LayoutView)
async def show_layout(name: NodeName, index: GpuIndex, context: Ctx, who: Who) -> Response:
    """How a GPU is cut, how it is to be, and which steps are left."""
    return answer(await _layout(context, who, name, index))


@router.post(f"{_PATH}/layout/plan", response_model=LayoutPlanView)
async def plan_layout(
    name: NodeName, index: GpuIndex, request: LayoutPlanRequest, context: Ctx, who: Who
) -> Response:
    """The steps to a layout, who is in the way, and what fits afterwards. Nothing is done."""

    def read(tx: Transaction) -> LayoutPlanView:
        plan = layout_plan(tx, name, index, request.layout)
        device = _device(tx, context, who, name, index)
        before = Counter({each.profile: each.count for each in device.room})
        return LayoutPlanView(
            layout=layout_text(plan.placed),
            instances=_instances(plan.placed),
            steps=_steps(plan, device),
            room=[
                LayoutRoomView(profile=profile, before=now, after=after)
                for profile, now, after in rooms(plan, before)
            ],
        )

    return answer(await context.database.read(read))


@router.put(f"{_PATH}/layout", response_model=LayoutView)
async def set_layout(
    name: NodeName, index: GpuIndex, request: LayoutRequest, context: Ctx, who: Who
) -> Response:
    """Have a GPU cut like that. What is in use is not touched: the rest is made, and what it
    blocks once it has ended. For administrators."""
    await layout_set(
        context.office, who, name, index, request.layout, keep=request.keep, move=request.move
    )
    return answer(await _layout(context, who, name, index))


@router.delete(f"{_PATH}/layout", response_model=LayoutView)
async def unset_layout(name: NodeName, index: GpuIndex, context: Ctx, who: Who) -> Response:
    """Unpin a GPU, or give up a layout that is being made: it is cut as work asks again. For
    administrators."""
    await layout_unset(context.office, who, name, index)
    return answer(await _layout(context, who, name, index))


@router.put(f"{_PATH}/mig", response_model=LayoutView)
async def set_mig_mode(
    name: NodeName, index: GpuIndex, request: MigModeRequest, context: Ctx, who: Who
) -> Response:
    """Turn MIG on or off on an idle GPU; idle instances end with it. For administrators."""
    await mode_set(context.office, who, name, index, enabled=request.enabled)
    return answer(await _layout(context, who, name, index))


@router.post("/mig/pack", response_model=PackView)
async def pack_instances(request: PackRequest, context: Ctx, who: Who) -> Response:
    """Which saved work to start again elsewhere so that larger instances fit. For
    administrators."""
    authorise(who, Action.LAYOUT_SET)
    if request.apply:
        packed = await pack_apply(context.office, who, request.moves)
        return answer(await context.database.read(lambda tx: _pack_view(tx, packed, applied=True)))
    now_ms = context.database.now_ms()
    return answer(
        await context.database.read(
            lambda tx: _pack_view(tx, pack_plan(tx, now_ms, request.moves), applied=False)
        )
    )


async def _layout(context: Context, who: Identity, name: str, index: int) -> LayoutView:
    def read(tx: Transaction) -> LayoutView:
        target = target_fetch(tx, name, index)
        device = _device(tx, context, who, name, index)
        wanted, steps = target.wanted, []
        if wanted is not None and not stands(target.device, wanted.instances):
            placed = placed_of(target.board, wanted.instances)
            steps = _steps(planned(tx, target, placed), device)
        standing = ((each.profile, each.start) for each in target.device.instances)
        return LayoutView(
            node=name,
            gpu=_without_old_drift(device, wanted),
            profiles=[
                ProfileView(
                    name=each.name,
                    compute_slices=each.compute_slices,
                    memory_slices=each.memory_slices,
                    memory_bytes=each.memory_bytes,
                    starts=list(each.starts),
                    max_instances=each.max_instances,
                    media=each.media,
                )
                for each in sorted(
                    target.board.profiles,
                    key=lambda one: (one.memory_slices, one.compute_slices, one.media),
                )
            ],
            layout=layout_text(placed_of(target.board, standing)),
            wanted=None
            if wanted is None
            else WantedLayoutView(
                layout=layout_text(placed_of(target.board, wanted.instances)),
                instances=_instances(placed_of(target.board, wanted.instances)),
                kept=wanted.kept,
                moves=wanted.moves,
                set_by=wanted.set_by,
                set_at=utc(wanted.set_at_ms),
                stands=stands(target.device, wanted.instances),
                message=wanted.message,
            ),
            steps=steps,
        )

    return await context.database.read(read)


def _device(tx: Transaction, context: Context, who: Identity, name: str, index: int) -> DeviceView:
    (view,) = node_views(tx, context, who, [nodes.node_fetch(tx, name)])
    return next(each for each in view.devices if each.index == index)


def _without_old_drift(device: DeviceView, wanted: WantedLayout | None) -> DeviceView:
    """Whoever set a layout since has seen to it."""
    if wanted is None or device.drift_at is None or device.drift_at > utc(wanted.set_at_ms):
        return device
    return device.model_copy(update={"drift": "", "drift_at": None})


def _instances(placed: tuple[Placed, ...]) -> list[InstanceView]:
    return [
        InstanceView(profile=profile.name, start=start, size=profile.memory_slices)
        for profile, start in sorted(placed, key=lambda each: each[1])
    ]


def _steps(plan: Planned, device: DeviceView) -> list[LayoutStepView]:
    holders = {
        (each.profile, each.start): each.holder for each in device.slices if each.holder is not None
    }
    return [_step(plan, step, holders.get((step.profile, step.start))) for step in plan.steps]


def _step(plan: Planned, step: Step, holder: HolderView | None) -> LayoutStepView:
    waits = step.act == "wait"
    workload_id = plan.whose.get((step.profile, step.start)) if waits else None
    stays = plan.objections.get(workload_id or "", "")
    if waits and workload_id is None:
        stays = "nobody of Podium started it"
    return LayoutStepView(
        act=step.act.value,
        profile=step.profile,
        start=step.start,
        text=str(step),
        holder=holder if waits else None,
        movable=waits and not stays,
        stays=stays,
    )


def _pack_view(tx: Transaction, packed: Packed, *, applied: bool) -> PackView:
    ids = {each.workload_id for each in packed.shifts}
    known = workloads.workload_fetch_many(tx, WHOLE, ids) if ids else {}
    places = {
        device.id: (device.node, device.index)
        for device in (nodes.device_by_id(tx) if ids else {}).values()
    }
    return PackView(
        applied=applied,
        moves=[
            PackMoveView(
                workload_id=each.workload_id,
                name=known[each.workload_id].name,
                project=known[each.workload_id].project,
                profile=each.profile,
                node=places[each.source][0],
                gpu=places[each.source][1],
                start=each.source_start,
                target_node=places[each.target][0],
                target_gpu=places[each.target][1],
                target_start=each.target_start,
            )
            for each in packed.shifts
        ],
        room=[
            PackRoomView(board=board, profile=profile, before=before, after=after)
            for board, profile, before, after in packed.rooms
        ],
    )
