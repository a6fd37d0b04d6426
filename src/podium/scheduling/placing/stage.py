"""A floor as it may come to be, on which places are tried: `mixed`, `consolidation` and refusals
make one for each question."""

from __future__ import annotations

from podium.domain.resources import Request
from podium.scheduling.placing.classes import RequestClass
from podium.scheduling.placing.worths import Worths
from podium.scheduling.space.floor import Floor


class Stage:
    """The floor, which may be changed, and its classes."""

    def __init__(self, floor: Floor, worths: Worths) -> None:
        self.floor = floor
        self._worths = worths
        self._families: dict[Request, RequestClass] = {}

    def family(self, request: Request) -> RequestClass:
        found = self._families.get(request)
        if found is None:
            found = self._families[request] = RequestClass(self.floor, request, self._worths)
        return found
