"""Writes docs/spec.md from the published JSON Schema: `python -m podium.spec.reference`.

`tests/unit/spec/test_reference.py` holds the page up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from podium.domain.policy import KIND_POLICIES
from podium.domain.quantity import format_bytes, format_milli
from podium.spec.workload import json_schema

_INTRODUCTION = """\
# The workload spec

<!-- Made by `python -m podium.spec.reference > docs/spec.md`. -->

A workload is one YAML or JSON document. `name` is required, and one of `command` and `script`;
everything else has a default. A field that is not listed here is refused with its name, so a
spelling mistake never passes unseen. `podium submit FILE --dry-run` checks a file and says where
and when it would start, with `--defaults` also every default; `podium schema` prints the JSON
Schema for editors.
"""

_EXAMPLE = """\
```yaml
name: resnet-50
kind: training
source: {path: .}
command: python train.py --epochs 10
replicas: 4
resources: {gpus: 2, gpu_type: [H100, H200], cpus: 8, memory: 64GiB}
env: {MODE: fast}
max_runtime: 8h
retries: 2
```
"""


def reference() -> str:
    """The whole page as Markdown."""
    schema = json_schema()
    parts = [_INTRODUCTION, _EXAMPLE, "## Fields\n", _table(schema)]
    for field, model in _parts(schema):
        parts += [f"## `{field}`\n", f"{model['description']}\n", _table(model)]
    parts += ["## Defaults of each kind\n", _kinds()]
    return "\n".join(parts)


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for field, shape in schema["properties"].items():
        for choice in shape.get("anyOf", ()):
            choice = choice.get("items", choice)  # noqa: PLW2901 - of a list, its entries
            if "$ref" in choice:
                yield field, schema["$defs"][choice["$ref"].rpartition("/")[2]]


def _table(model: Mapping[str, Any]) -> str:
    rows = ["| field | what it says | written as | for example |", "| --- | --- | --- | --- |"]
    for field, shape in model["properties"].items():
        choices = [each for each in shape.get("anyOf", [shape]) if each.get("type") != "null"]
        written = "; ".join(dict.fromkeys(_written(each, field) for each in choices))
        shown = ", ".join(_code(each) for each in shape.get("examples", ()))
        rows.append(f"| `{field}` | {shape['description']} | {written} | {shown} |")
    return "\n".join(rows) + "\n"


def _written(shape: Mapping[str, Any], field: str) -> str:
    """How one way of writing a field looks, in words."""
    if "$ref" in shape:
        return f"[a map](#{field})"
    if "$ref" in shape.get("items", ()):
        return f"[a list of maps](#{field})"
    if "enum" in shape:
        return ", ".join(f"`{each}`" for each in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    words = {"string": "text", "array": "a list", "object": "a map", "boolean": "true or false"}
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    if "boolean" in kinds and "string" in kinds:
        return "text or a number"
    low, high = shape.get("minimum"), shape.get("maximum")
    bounds = f" {low} to {high:,}" if low is not None and high is not None else ""
    return words.get(kinds[0], "a number") + bounds


def _code(value: object) -> str:
    if isinstance(value, str):
        return f"`{json.dumps(value)}`" if "\n" in value else f"`{value}`"
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).split('...')[0].strip()}`"


def _kinds() -> str:
    rows = [
        "| kind | priority | CPUs | memory | grace | preemptible |",
        "| --- | --: | --: | --: | --: | --- |",
    ]
    for kind, policy in KIND_POLICIES.items():
        amounts = f"{format_milli(policy.cpu_milli)} | {format_bytes(policy.memory_bytes)}"
        gives_way = "yes" if policy.preemptible else "no"
        rows.append(
            f"| `{kind}` | {policy.priority} | {amounts} | {policy.grace_seconds} s | {gives_way} |"
        )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
