"""Parameters that several routes take, with the words that the API document shows for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Query

_NAME_MAX = 63

Limit = Annotated[int, Query(ge=1, le=500, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before.")
]
WorkloadId = Annotated[
    str, Path(max_length=64, description="The workload's id.", examples=["w-01k2x5e8g7h3m9qz"])
]
WorkloadRef = Annotated[
    str,
    Path(max_length=64, description="The workload's id; or, with `project`, its name."),
]
ProjectName = Annotated[
    str, Path(max_length=_NAME_MAX, description="The project's name.", examples=["vision"])
]
OneProject = Annotated[
    str | None, Query(max_length=_NAME_MAX, description="Only this project; all you see if none.")
]
Username = Annotated[
    str, Path(max_length=_NAME_MAX, description="A person's name.", examples=["ada"])
]
TeamName = Annotated[
    str, Path(max_length=_NAME_MAX, description="The team's name.", examples=["research"])
]
GroupName = Annotated[
    str, Path(max_length=_NAME_MAX, description="The group's name.", examples=["scientists"])
]
RoleName = Annotated[
    str, Path(max_length=_NAME_MAX, description="The role's name.", examples=["developer"])
]
AccountName = Annotated[
    str, Path(max_length=_NAME_MAX, description="The service account's name.", examples=["ci-bot"])
]
Archived = Annotated[bool, Query(description="Archived ones, in place of the others.")]
Words = Annotated[
    str, Query(max_length=100, description="Part of a name, a display name or an address.")
]
NodeName = Annotated[str, Path(max_length=253, description="The node's name.")]
SecretName = Annotated[
    str,
    Path(
        max_length=_NAME_MAX,
        description="The secret's name, which is also the name of the environment variable.",
        examples=["HF_TOKEN"],
    ),
]
TokenId = Annotated[str, Path(max_length=64, description="The token's id.")]
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="Chosen by you; the same key answers the same workloads."),
]
LastEventId = Annotated[
    str | None,
    Header(max_length=20_000, description="Continues a broken stream; browsers send it."),
]
AfterEvent = Annotated[
    int | None, Query(ge=0, le=2**62, description="Begin after the event with this `seq`.")
]
TimeZone = Annotated[
    str,
    Query(
        max_length=60,
        description="An IANA name; days begin and end in it.",
        examples=["Europe/Berlin"],
    ),
]
