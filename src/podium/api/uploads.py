"""Source folders, packed and uploaded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.intake.uploads import upload_store
from podium.spec.views.tenancy import UploadView

router = APIRouter(prefix="/uploads", tags=["workloads"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/gzip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=201, response_model=UploadView, openapi_extra=_BODY)
async def upload(
    request: Request,
    context: Ctx,
    who: Who,
    project: Annotated[str, Query(max_length=63, description="The project it belongs to.")],
) -> Response:
    """Store a gzipped tar archive; name it in a spec as `source: {upload: SHA256}`."""
    sha256, size_bytes = await upload_store(context.office, who, project, request.stream())
    return answer(UploadView(sha256=sha256, size_bytes=size_bytes), status=201)
