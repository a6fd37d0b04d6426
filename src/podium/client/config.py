"""The file that keeps sign-ins, one context a server. Used by the client and `podium login`.

It lies at `$PODIUM_CONFIG` or `~/.config/podium/config.json`, is readable by its owner only, and
is replaced as a whole, so that a crash never leaves half of it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from podium.client.address import DEFAULT_SERVER, server_address
from podium.domain.errors import FieldFault, UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is remembered about one server."""

    token: str | None = None
    username: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file: the server used by default, and a context for each known server."""

    current: str | None = None
    contexts: Mapping[str, Context] = field(default_factory=dict)

    def context(self, server: str) -> Context:
        return self.contexts.get(server, Context())

    def with_context(self, server: str, context: Context) -> Config:
        """The same file with `server` as the current one."""
        return Config(current=server, contexts={**self.contexts, server: context})

    def signed_out(self, server: str) -> Config:
        """Forgets the token; the default project stays."""
        kept = replace(self.context(server), token=None, username=None)
        return replace(self, contexts={**self.contexts, server: kept})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a client goes and as whom."""

    server: str
    token: str | None
    project: str | None


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    given = (os.environ if environ is None else environ).get("PODIUM_CONFIG")
    return Path(given) if given else Path.home() / ".config" / "podium" / "config.json"


def config_load(path: Path) -> Config:
    """Reads the file; one that is missing is empty. Raises UserError when it is not readable."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Config(
            current=_text(document.get("current")),
            contexts={
                str(server): Context(
                    token=_text(kept.get("token")),
                    username=_text(kept.get("username")),
                    project=_text(kept.get("project")),
                )
                for server, kept in document.get("contexts", {}).items()
            },
        )
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise UserError(
            FieldFault(str(path), f"cannot be read: {error.strerror}.", "Check who owns it.")
        ) from error
    except (ValueError, AttributeError) as error:
        raise UserError(
            FieldFault(str(path), "is damaged.", "Remove it, then sign in with `podium login`.")
        ) from error


def config_save(path: Path, config: Config) -> None:
    """Replaces the file in one step, readable by its owner only. Raises UserError."""
    document = {
        "current": config.current,
        "contexts": {
            server: {
                key: value
                for key, value in (
                    ("token", context.token),
                    ("username", context.username),
                    ("project", context.project),
                )
                if value is not None
            }
            for server, context in config.contexts.items()
        },
    }
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".config-", dir=path.parent)  # made with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise UserError(
            FieldFault(
                str(path),
                f"cannot be written: {error.strerror}.",
                "Set PODIUM_CONFIG to a file that you may write.",
            )
        ) from error


def target(
    server: str | None = None,
    token: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Target:
    """Arguments first, then PODIUM_SERVER, PODIUM_TOKEN and PODIUM_PROJECT, then the file.

    A token is only ever sent to the server that it belongs to.
    """
    variables = os.environ if environ is None else environ
    config = config_load(config_path(variables))
    named = variables.get("PODIUM_SERVER") or None
    chosen = server_address(server or named or config.current or DEFAULT_SERVER)
    context = config.context(chosen)
    if token is None and (named is None or server_address(named) == chosen):
        token = variables.get("PODIUM_TOKEN") or None
    return Target(
        server=chosen,
        token=token or context.token,
        project=variables.get("PODIUM_PROJECT") or context.project,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
