"""Requests made from the API's own document, with given names in every place that takes one; so
that a route which is new is asked like all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from podium.api.app import make_app

DOCUMENT = make_app(None).openapi()
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operations[method]
    for path, operations in DOCUMENT["paths"].items()
    for method in METHODS
    if method in operations
}
_DEPTH_MAX = 5


def request_for(label: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords of `httpx.Client.request`. `names` gives what to call things by the name of the
    parameter or field, and, before that, by its path: `/pools/{name}`. Parameters that it does not
    know are left out where they may be."""
    operation = OPERATIONS[label]
    method, _, path = label.partition(" ")
    asked: dict[str, Any] = {"method": method}
    query: dict[str, Any] = {}
    for each in operation.get("parameters", ()):
        name, place = each["name"], each["in"]
        if place == "query" and (name in names or each.get("required")):
            query[name] = names.get(name) or _filled(each["schema"], name, names)
    asked["url"] = re.sub(r"{(\w+)}", lambda found: _named(path, found[1], names), path)
    asked["params"] = query
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        asked["json"] = _body(path, content["application/json"].get("schema", {}), names)
    elif content:
        asked["content"] = b"\x1f\x8b"
        asked["headers"] = {"Content-Type": next(iter(content))}
    return asked


def _named(path: str, name: str, names: Mapping[str, Any]) -> str:
    for key, value in names.items():
        if key.startswith("/") and f"{key}/{{{name}}}" in path:
            return str(value)
    return str(names.get(name, "none-such"))


def _body(path: str, schema: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
    spec = {
        "name": "intruder",
        "command": ["true"],
        "project": names["project"],
        "depends_on": [names["workload_id"]],
    }
    if path.endswith("/bulk"):
        return {"workloads": [spec]}
    if schema.get("$ref", "").endswith("/WorkloadSpec"):
        return spec
    if path.endswith("/actions"):
        return {"action": "cancel", "selection": {"ids": [names["workload_id"]]}}
    if path.endswith("/what-if"):
        return {"changes": [{"change": "cancel", "workload": names["workload_id"]}]}
    return _filled(schema, "", names)


def _filled(schema: Mapping[str, Any], name: str, names: Mapping[str, Any], depth: int = 0) -> Any:
    """The smallest document of the schema, and all in it that `names` knows."""
    if "$ref" in schema:
        key = schema["$ref"].rpartition("/")[2]
        return _filled(DOCUMENT["components"]["schemas"][key], name, names, depth)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _filled(schema[choice][0], name, names, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return names[name] if names.get(name) in schema["enum"] else schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and depth < _DEPTH_MAX:
        wanted = schema.get("required", ())
        return {
            field: _filled(part, field, names, depth + 1)
            for field, part in schema.get("properties", {}).items()
            if field in wanted or field in names
        }
    if kind == "array":
        singular = name.removesuffix("s")
        if name in names or singular in names or schema.get("minItems"):
            key = name if name in names else singular
            return [_filled(schema["items"], key, names, depth + 1)]
        return []
    if kind == "string":
        return str(names[name]) if name in names else "x" * max(3, schema.get("minLength", 0))
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {} if kind == "object" else False
