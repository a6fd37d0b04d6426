"""MIG layouts of GPUs. Reached as `client.mig`."""

from __future__ import annotations

from podium.client.transport import Transport, path_of
from podium.spec.views.layout import LayoutPlanView, LayoutView, PackView


class Mig:
    """A GPU is named by its node and its index there. Changes are for administrators."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self, node: str, gpu: int) -> LayoutView:
        """Raises NotFoundError, and ConflictError for a GPU without MIG."""
        return self._transport.fetch(LayoutView, _path(node, gpu, "layout"))

    def plan(self, node: str, gpu: int, layout: str) -> LayoutPlanView:
        """The steps to a layout such as `3g.40gb@4,4x1g.10gb`. Raises UserError with the nearest
        one that can be."""
        path = _path(node, gpu, "layout", "plan")
        answer = self._transport.send("POST", path, body={"layout": layout}, repeatable=True)
        return self._transport.parse(LayoutPlanView, answer)

    def apply(self, node: str, gpu: int, layout: str, *, move: bool = False) -> LayoutView:
        """Has the GPU cut like that once. What is in use is not touched; with `move`, saved work
        in the way starts again elsewhere."""
        return self._set(node, gpu, layout, keep=False, move=move)

    def pin(
        self, node: str, gpu: int, layout: str | None = None, *, move: bool = False
    ) -> LayoutView:
        """The same for good; without a layout, as it stands."""
        return self._set(node, gpu, layout, keep=True, move=move)

    def unpin(self, node: str, gpu: int) -> LayoutView:
        """It is cut as work asks again. Raises NotFoundError when nothing is pinned."""
        answer = self._transport.send("DELETE", _path(node, gpu, "layout"))
        return self._transport.parse(LayoutView, answer)

    def mode(self, node: str, gpu: int, *, enabled: bool) -> LayoutView:
        """Turns MIG on or off. Raises ConflictError with what the driver says, as for a GPU in
        use."""
        path = _path(node, gpu, "mig")
        answer = self._transport.send("PUT", path, body={"enabled": enabled}, repeatable=True)
        return self._transport.parse(LayoutView, answer)

    def pack(self, *, apply: bool = False, moves: int = 8) -> PackView:
        """Which work to start again elsewhere so that larger instances fit; with `apply` it is
        asked to."""
        body = {"apply": apply, "moves": moves}
        answer = self._transport.send("POST", "/mig/pack", body=body, repeatable=not apply)
        return self._transport.parse(PackView, answer)

    def _set(
        self, node: str, gpu: int, layout: str | None, *, keep: bool, move: bool
    ) -> LayoutView:
        body = {"layout": layout, "keep": keep, "move": move}
        path = _path(node, gpu, "layout")
        answer = self._transport.send("PUT", path, body=body, repeatable=True)
        return self._transport.parse(LayoutView, answer)


def _path(node: str, gpu: int, *rest: str) -> str:
    return path_of("nodes", node, "gpus", str(gpu), *rest)
