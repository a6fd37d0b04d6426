"""Podium: AI orchestration for private GPU clusters.

Kept empty of imports so that the small processes which the engines start stay small;
`podium.Client` is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from podium.client.client import Client as Client

__version__ = "0.1.0"
__all__ = ["Client", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from podium.client.client import Client

        return Client
    raise AttributeError(f"module 'podium' has no attribute {name!r}")
