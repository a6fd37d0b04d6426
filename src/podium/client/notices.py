"""Notices about one's own work. Reached as `client.notices`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from podium.client.paging import items
from podium.client.streams import stream
from podium.client.transport import Transport
from podium.domain.errors import PermanentError
from podium.spec.views.notice import NoticesView, NoticeView


class Notices:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> Iterator[NoticeView]:
        """Newest first, fetched as they are read."""
        yield from items(self._transport, NoticesView, "/notices", limit=limit)

    def page(self, *, limit: int = 50, cursor: str | None = None) -> NoticesView:
        """One page, with how many are unread in all."""
        params = {"limit": limit, "cursor": cursor}
        return self._transport.fetch(NoticesView, "/notices", params)

    def read(self, through: int | None = None) -> NoticesView:
        """Mark everything up to the notice with that `seq`, or everything there is, as read."""
        if through is None:
            newest = self.page(limit=1).items
            through = newest[0].seq if newest else 0
        answer = self._transport.send(
            "POST", "/notices/read", body={"through": through}, repeatable=True
        )
        return self._transport.parse(NoticesView, answer)

    def watch(self) -> Iterator[NoticeView]:
        """Yields notices as they come. After a broken connection it goes on where it stopped."""
        for event in stream(self._transport, "/stream", params={"topic": "notices"}):
            if event.event == "notice":
                try:
                    yield NoticeView.model_validate_json(event.data)
                except ValidationError as error:
                    raise PermanentError("The server sent a notice that cannot be read.") from error
