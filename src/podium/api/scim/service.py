"""The protocol as the library has it, with what directories send beside it."""

from __future__ import annotations

import json
from typing import Any

from scim2_models import PatchOp, ResourceType
from scim2_server.service import ScimService


class DirectoryService(ScimService):
    """Entra ID names whom it takes out of a group with nulls beside: `{"$ref": null, "value": …}`.
    They are left out, or nobody would be found that has them."""

    def read_patch(
        self, resource_type: ResourceType, body: bytes, content_type: str | None
    ) -> PatchOp[Any]:
        said = self.decode_body(body, content_type)
        operations = said.get("Operations") if isinstance(said, dict) else None
        for each in operations if isinstance(operations, list) else ():
            if isinstance(each, dict) and isinstance(each.get("value"), list):
                each["value"] = [_without_nulls(value) for value in each["value"]]
        return super().read_patch(resource_type, json.dumps(said).encode(), content_type)


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if each is not None}
