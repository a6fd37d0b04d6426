"""Any wish survives being written out and read back; no document breaks the checker."""

from __future__ import annotations

import json
import shlex
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from podium.domain.errors import UserError
from podium.domain.identity import NAME_PATTERN
from podium.domain.policy import GRACE_SECONDS_MAX, PRIORITY_MAX, REPLICAS_MAX, RETRIES_MAX
from podium.domain.quantity import Range
from podium.domain.resources import Isolation, ReplicaCount, Request, Topology, TopologyLevel
from podium.domain.secret import SecretUse
from podium.domain.window import StartWindow
from podium.domain.workload import GitSource, Kind, Program, UploadSource, Volume, Wish
from podium.spec.fields import DURATION_SECONDS_MAX
from podium.spec.program import read_command
from podium.spec.resources import CPUS_MAX, GPUS_MAX, MEMORY_BYTES_MAX, MEMORY_BYTES_MIN
from podium.spec.workload import (
    ResourcesSpec,
    SourceSpec,
    StartSpec,
    TopologySpec,
    WorkloadSpec,
    check,
    json_schema,
    resolved,
)

NOW_MS = 1_760_000_000_000
VALIDATOR = jsonschema_rs.validator_for(json_schema())

names = st.from_regex(NAME_PATTERN, fullmatch=True)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
words = texts.filter(str.strip)
env_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
label_names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,10}[A-Za-z0-9])?", fullmatch=True)
labels = st.dictionaries(label_names, texts, max_size=4).map(lambda d: tuple(sorted(d.items())))
amounts = st.integers(MEMORY_BYTES_MIN, MEMORY_BYTES_MAX) | st.sampled_from([2**30, 10**9, 2**40])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    shape: dict[str, Any] = draw(
        st.one_of(
            st.just({}),
            st.integers(1, 999).map(lambda milli: {"gpu_milli": milli}),
            st.integers(1, GPUS_MAX).map(lambda count: {"gpu_milli": count * 1000}),
            amounts.map(lambda size: {"gpu_share_bytes": size}),
            st.integers(1, 8).map(lambda n: {"mig_profile": "1g.10gb", "mig_count": n}),
        )
    )
    if shape.get("gpu_milli", 0) in range(1, 1000) or "gpu_share_bytes" in shape:
        shape["isolation"] = draw(st.sampled_from([Isolation.NONE, Isolation.MIG]))
    if "gpu_milli" in shape and draw(st.booleans()):
        low, high = sorted((draw(st.just(0) | amounts), draw(amounts)))
        shape["gpu_memory"] = Range(low, high if not low else draw(st.sampled_from([high, None])))
    if shape:
        types = st.lists(st.sampled_from(["H100", "H200", "L40S", "A100-80GB"]), unique=True)
        shape["gpu_types"] = tuple(draw(types))
    return Request(
        cpu_milli=draw(st.integers(1, CPUS_MAX * 1000)),
        memory_bytes=draw(amounts),
        node_labels=draw(labels),
        **shape,
    )


@st.composite
def programs(draw: st.DrawFn) -> Program:
    runs: dict[str, Any] = draw(
        st.one_of(
            st.tuples(words, st.lists(texts, max_size=3)).map(lambda c: {"command": (c[0], *c[1])}),
            words.map(lambda text: {"script": text}),
        )
    )
    volume = st.builds(
        Volume,
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True),
        st.from_regex(r"(/[a-z0-9]{1,8}){1,4}", fullmatch=True),
        st.booleans(),
    )
    env = draw(st.dictionaries(env_names, texts, max_size=4))
    use = st.builds(
        SecretUse, env_names, env_names.filter(lambda each: each not in env), st.booleans()
    )
    secrets = draw(st.lists(use, unique_by=lambda each: each.variable, max_size=3))
    return Program(
        image=draw(st.none() | st.just("registry.example.com/a/b:1")),
        source=draw(
            st.none()
            | st.builds(GitSource, st.just("https://git.example.com/a.git"), st.just("v1.10"))
            | st.builds(UploadSource, st.from_regex(r"[0-9a-f]{64}", fullmatch=True))
        ),
        env=tuple(sorted(env.items())),
        secrets=tuple(secrets),
        volumes=tuple(draw(st.lists(volume, max_size=3, unique_by=lambda v: v.name))),
        **runs,
    )


replica_counts = st.one_of(
    st.tuples(st.integers(1, REPLICAS_MAX), st.integers(1, REPLICAS_MAX)).map(
        lambda ends: ReplicaCount(min(ends), max(ends))
    ),
    st.tuples(st.integers(1, REPLICAS_MAX - 1), st.integers(1, 9)).map(
        lambda ends: ReplicaCount(ends[0], min(REPLICAS_MAX, sum(ends)), resize=True)
    ),
    st.integers(1, REPLICAS_MAX).map(lambda n: ReplicaCount(n, n)),
    st.integers(1, REPLICAS_MAX).map(lambda n: ReplicaCount(1, n, array=True)),
)
windows = st.tuples(st.integers(0, 1439), st.integers(1, 1439)).map(
    lambda hours: StartWindow(hours[0], sum(hours) % 1440, "Europe/Berlin")
)
levels = st.none() | st.sampled_from(TopologyLevel)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    name = draw(names)
    return Wish(
        name=name,
        project=draw(names),
        kind=draw(st.sampled_from(Kind)),
        program=draw(programs()),
        request=draw(requests()),
        replicas=draw(replica_counts),
        topology=draw(st.builds(Topology, levels, levels)),
        priority=draw(st.integers(0, PRIORITY_MAX)),
        preemptible=draw(st.booleans()),
        not_before_ms=draw(st.none() | st.integers(0, NOW_MS)),
        start_window=draw(st.none() | windows),
        max_runtime_seconds=draw(st.none() | st.integers(1, DURATION_SECONDS_MAX)),
        deadline_ms=draw(st.none() | st.integers(NOW_MS + 1, NOW_MS + DURATION_SECONDS_MAX * 1000)),
        retries=draw(st.integers(0, RETRIES_MAX)),
        grace_seconds=draw(st.integers(0, GRACE_SECONDS_MAX)),
        depends_on=tuple(
            draw(st.lists(names.filter(lambda other: other != name), unique=True, max_size=3))
        ),
        labels=draw(labels),
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(wish=wishes())
def test_a_wish_written_out_reads_back_equal(wish: Wish) -> None:
    document = json.loads(json.dumps(resolved(wish)))
    assert check(document, now_ms=NOW_MS) == wish
    assert VALIDATOR.is_valid(document)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["1h", "20GiB", "24GB..", "job", "high", "rack", "1g.10gb", "/srv", "a" * 64])
    | st.sampled_from([0, 1, 2, 0.5, 10**40, -1, "\ud800", "\0", "2031-07-01T00:00:00Z"])
)
keys = st.text(max_size=8) | st.sampled_from(
    [
        *(
            field
            for model in (ResourcesSpec, SourceSpec, StartSpec, TopologySpec)
            for field in model.model_fields
        ),
        *("name", "path", "read_only", "min", "max", "resize", "profile", "count", "\ud800", "\0"),
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)
documents = st.dictionaries(
    st.sampled_from([*WorkloadSpec.model_fields]) | keys, values, max_size=6
).flatmap(
    lambda base: st.sampled_from([base, {"name": "job", "project": "p", "command": "x", **base}])
)


@settings(max_examples=300, deadline=None)
@given(document=documents)
@example(document={"max_runtime": "\ud800"})
@example(document={1: 2, None: 3, "resources": {4: 5}, "env": {6: 7}})
@example(document={"deadline": "0001-01-01T00:00:00+23:59"})
@example(document={"deadline": "9999-12-31T23:59:59-23:59"})
def test_any_document_is_a_wish_or_refused_in_words(document: Any) -> None:
    try:
        wish = check(document, now_ms=NOW_MS, project="vision")
    except UserError as refusal:
        error = refusal
    else:
        assert check(resolved(wish), now_ms=NOW_MS) == wish
        # The published schema refuses nothing that the checker takes.
        assert VALIDATOR.is_valid(document), [e.message for e in VALIDATOR.iter_errors(document)]
        return
    assert error.faults
    str(error).encode()
    for fault in error.faults:
        assert fault.message
        assert "is not right" not in fault.message
        assert len(str(fault)) < 600


@given(text=st.text(alphabet="ab #\t\n\r\x0b\u00a0-$`", min_size=1, max_size=30))
def test_text_without_quotes_splits_as_a_shell_splits_it(text: str) -> None:
    expected = tuple(shlex.split(text))
    try:
        command = read_command(text)
    except ValueError:
        assert not text.strip() or not expected or not expected[0].strip()
    else:
        assert command == expected
