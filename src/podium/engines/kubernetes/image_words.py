"""Why an image cannot be had, in plain words: registries, runtimes and kubelets say it in their own
ways. `waits.py` asks."""

from __future__ import annotations

import re

# The first that is found; those that hold the words of another one stand before it.
_FAULTS: tuple[tuple[str, str], ...] = (
    (
        r"pull access denied|insufficient_scope",
        "its registry has none of that name, or wants a sign-in",
    ),
    (
        r"unauthorized|authentication required|no basic auth|\b401\b|\b403\b|denied",
        "its registry wants a sign-in",
    ),
    (r"toomanyrequests|too many requests|\b429\b|rate limit", "its registry allows no more now"),
    (
        r"no such host|server misbehaving|name resolution",
        "its node does not know the registry by that name",
    ),
    (
        r"HTTP response to HTTPS client|x509|certificate|tls:",
        "its node does not trust the registry's certificate, or the registry has none",
    ),
    (
        r"connection (refused|reset)|i/o timeout|deadline exceeded|no route|unreachable|\.Timeout",
        "its node cannot reach the registry",
    ),
    (
        r"no match for platform|no matching manifest",
        "there is none of that name for the processor of its node",
    ),
    (r"no space left", "the disk of its node is full"),
    (r"not found|manifest unknown|NotFound", "its registry has none of that name and tag"),
)
_NO_NAME = frozenset({"InvalidImageName"})
_NOT_THERE = frozenset({"ErrImageNeverPull"})
_LONGEST = 300


def image_words(image: str, reason: str, said: str) -> str:
    """One plain sentence. `said` is the kubelet's message to its `reason`."""
    name = f"The image {image}" if image else "Its image"
    if reason in _NO_NAME:
        return f"{name} cannot be pulled: that cannot be read as the name of one."
    if reason in _NOT_THERE:
        return f"{name} is not on its node, and may not be pulled."
    why = image_fault(image, said) or (said or reason)[:_LONGEST].strip(" .")
    return f"{name} cannot be pulled: {why}."


def image_fault(image: str, said: str) -> str:
    """Empty where it names no fault that is known."""
    told = said.replace(image, "") if image else said  # which may be called like a fault
    for pattern, words in _FAULTS:
        if re.search(pattern, told, re.IGNORECASE):
            return words
    return ""
