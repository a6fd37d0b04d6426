"""Words for requests and amounts in refusals; `refusals` puts them into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podium.domain.pool import NO_POOL
from podium.domain.quantity import GPU_MILLI, format_bytes, format_milli
from podium.domain.resources import Request, TopologyLevel

_LEVEL_WORDS = {
    TopologyLevel.NVLINK: "NVLink domain",
    TopologyLevel.NODE: "node",
    TopologyLevel.RACK: "rack",
    TopologyLevel.BLOCK: "block",
    TopologyLevel.CLUSTER: "cluster",
}


def level_word(level: TopologyLevel) -> str:
    return _LEVEL_WORDS[level]


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def with_article(words: str) -> str:
    """`a GPU`, `an H100 GPU`: types are read letter by letter."""
    return f"{'an' if words[:1] in 'AEFHILMNORSX8' else 'a'} {words}"


def gpu_noun(request: Request, *, plural: bool) -> str:
    """`GPU`, `H100 or H200 GPUs`, `1g.10gb MIG instances`; with the memory asked for."""
    noun = f"{request.mig_profile} MIG instance" if request.mig_profile else "GPU"
    if request.gpu_types:
        noun = f"{listed(request.gpu_types, 'or')} {noun}"
    if plural:
        noun += "s"
    memory = request.gpu_memory
    if memory is None:
        return noun
    if memory.maximum is None:
        return f"{noun} with at least {format_bytes(memory.minimum)} of memory"
    if memory.minimum == memory.maximum:
        return f"{noun} with {format_bytes(memory.minimum)} of memory"
    if memory.minimum == 0:
        return f"{noun} with at most {format_bytes(memory.maximum)} of memory"
    ends = f"{format_bytes(memory.minimum)} to {format_bytes(memory.maximum)}"
    return f"{noun} with {ends} of memory"


def gpu_amount(request: Request) -> str:
    """What one replica takes: `2 A100 GPUs`, `0.5 of a GPU`, `20 GiB of an A100 GPU`."""
    if request.gpu_share_bytes:
        noun = with_article(gpu_noun(request, plural=False))
        return f"{format_bytes(request.gpu_share_bytes)} of the memory of {noun}"
    if 0 < request.gpu_milli < GPU_MILLI:
        noun = with_article(gpu_noun(request, plural=False))
        return f"{format_milli(request.gpu_milli)} of {noun}"
    count = request.mig_count or request.whole_gpus
    return f"{count} {gpu_noun(request, plural=count != 1)}"


def cpu_amount(cpu_milli: int) -> str:
    return f"{format_milli(cpu_milli)} {'CPU' if cpu_milli == 1000 else 'CPUs'}"


def memory_amount(memory_bytes: int) -> str:
    return f"{format_bytes(memory_bytes)} of memory"


def whole_amount(request: Request) -> str:
    """All that one replica takes: `2 A100 GPUs, 4 CPUs and 16 GiB of memory`."""
    parts = []
    if request.wants_gpu:
        parts.append(gpu_amount(request))
    if request.cpu_milli:
        parts.append(cpu_amount(request.cpu_milli))
    if request.memory_bytes:
        parts.append(memory_amount(request.memory_bytes))
    return listed(parts) or "nothing"


def are_free(free: int, total: int) -> str:
    """`none of 8 is free`, `1 of 8 is free`, `3 of 8 are free`."""
    if free == 0:
        return "the only one is in use" if total == 1 else f"none of {total} is free"
    return f"{free} of {total} {'is' if free == 1 else 'are'} free"


def named_pools(request: Request) -> tuple[str, ...]:
    """The pools that a request names; none where only closed ones are left out of it."""
    return () if NO_POOL in request.pools else request.pools


def pool_words(names: Sequence[str], last: str = "and") -> str:
    """`pool a`, `pools a and b`."""
    return f"{'pool' if len(names) == 1 else 'pools'} {listed(names, last)}"


def pool_place(request: Request) -> str:
    names = named_pools(request)
    return f" in {pool_words(names, 'or')}" if names else ""


def label_words(request: Request) -> str:
    pairs = [f"{key}={value}" for key, value in request.node_labels]
    return f"{'label' if len(pairs) == 1 else 'labels'} {listed(pairs)}"
