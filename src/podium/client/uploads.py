"""Sends a local folder's code to the server. Reached as `client.uploads`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from podium.client.folder import Progress, pack_folder
from podium.client.transport import Transport
from podium.spec.views.tenancy import UploadView

_CHUNK_BYTES = 256 * 1024


class Uploads:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload_folder(
        self,
        folder: str | os.PathLike[str],
        project: str,
        *,
        packing: Progress | None = None,
        sending: Progress | None = None,
    ) -> UploadView:
        """Packs and sends `folder`, without what .gitignore and .podiumignore name.

        Raises UserError when it does not exist, cannot be read or is larger than 256 MiB.
        """
        with pack_folder(Path(folder), progress=packing) as archive:
            size_bytes = archive.seek(0, os.SEEK_END)
            answer = self._transport.send(
                "POST",
                "/uploads",
                params={"project": project},
                content=lambda: _chunks(archive, size_bytes, sending),
                headers={"Content-Type": "application/gzip", "Content-Length": str(size_bytes)},
                # The archive is named by its content: sending it twice stores it once.
                repeatable=True,
                insistent=True,
            )
            return self._transport.parse(UploadView, answer)


def _chunks(archive: IO[bytes], size_bytes: int, sending: Progress | None) -> Iterator[bytes]:
    archive.seek(0)
    done = 0
    while chunk := archive.read(_CHUNK_BYTES):
        yield chunk
        done += len(chunk)
        if sending is not None:
            sending(done, size_bytes)
