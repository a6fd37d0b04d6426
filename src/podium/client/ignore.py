"""Which files stay at home when a folder is uploaded: `.gitignore` and `.podiumignore`.

Understands comments, `!`, a trailing and a leading slash, `*`, `?`, `[...]` and `**`; the last
pattern that matches wins, and a file in a sub-folder rules over its own part only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

IGNORE_FILES = (".gitignore", ".podiumignore")
ALWAYS_IGNORED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "__pycache__",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".DS_Store",
        "node_modules",
    }
)
"""Never of use on a node, in any folder."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file. `base` is that file's folder, with a slash at its end."""

    base: str
    pattern: re.Pattern[str]
    keeps: bool
    folders_only: bool


def rules_of(text: str, base: str = "") -> list[Rule]:
    """The rules of one ignore file that lies in `base` (`""` or `"sub/folder/"`)."""
    rules = []
    for raw in text.splitlines():
        line = raw.rstrip()
        if not line or line.startswith("#"):
            continue
        keeps = line.startswith("!")
        line = line.removeprefix("!").removeprefix("\\")
        folders_only = line.endswith("/")
        line = line.rstrip("/")
        anchored = "/" in line
        line = line.lstrip("/")
        if line:
            pattern = _translate(line if anchored else f"**/{line}")
            rules.append(Rule(base, re.compile(pattern), keeps, folders_only))
    return rules


def is_ignored(path: str, *, folder: bool, rules: Iterable[Rule]) -> bool:
    """`path` is relative to the uploaded folder, with forward slashes."""
    if path.rpartition("/")[2] in ALWAYS_IGNORED:
        return True
    ignored = False
    for rule in rules:
        if rule.folders_only and not folder:
            continue
        if path.startswith(rule.base) and rule.pattern.fullmatch(path[len(rule.base) :]):
            ignored = not rule.keeps
    return ignored


def _translate(pattern: str) -> str:
    out, at = "", 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/"):
            out, at = out + "(?:.*/)?", at + 3
        elif rest == "**":
            out, at = out + ".*", at + 2
        elif rest[0] == "*":
            out, at = out + "[^/]*", at + 1
        elif rest[0] == "?":
            out, at = out + "[^/]", at + 1
        elif rest[0] == "\\" and len(rest) > 1:
            out, at = out + re.escape(rest[1]), at + 2
        elif rest[0] == "[" and (match := re.match(r"\[([!^]?)(\]?[^\]/]*)\]", rest)):
            inside = match[2].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
            out, at = out + f"[{'^/' if match[1] else ''}{inside}]", at + match.end()
        else:
            out, at = out + re.escape(rest[0]), at + 1
    return out
