"""What the documents say holds: commands parse, links lead somewhere, and no file names a place
that exists on one machine only."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from podium.main import app

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", ROOT / "examples" / "README.md", *ROOT.glob("docs/guides/*.md")]
PAGES = sorted({*GUIDES, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:\.venv/bin/)?podium [a-z][^`\n]*)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SHELL_ENDS = {"|", ">", "<", "&&", ";"}

# Written apart, so that this file does not name them either.
_REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "yarn" + "pkg.com")


def typed() -> list[str]:
    """Every `podium …` in a block of a guide, without its prompt."""
    found: dict[str, None] = {}
    for page in GUIDES:
        for block in _BLOCK.findall(page.read_text()):
            for line in block.splitlines():
                command = line.removeprefix("$ ").removeprefix("# ").removeprefix(".venv/bin/")
                if line[:2] in ("$ ", "# ") and command.startswith("podium "):
                    found[command] = None
    return list(found)


def mentioned() -> list[str]:
    """Every `podium …` in the text of a page; arguments may be left out there."""
    found: dict[str, None] = {}
    for page in PAGES:
        for inline in _INLINE.findall(_FENCED.sub("", page.read_text())):
            found[inline.removeprefix(".venv/bin/")] = None
    return list(found)


@pytest.mark.parametrize("command", typed())
def test_a_command_that_is_shown_can_be_typed(command: str) -> None:
    parsed(get_command(app), "podium", words_of(command))


@pytest.mark.parametrize("command", mentioned())
def test_a_command_that_is_mentioned_exists(command: str) -> None:
    words = [word for word in words_of(command) if word != "--help"]
    try:
        parsed(get_command(app), "podium", words)
    except Exception as error:
        if type(error).__name__ != "MissingParameter":
            raise


def words_of(command: str) -> list[str]:
    """What the shell would hand to `podium`."""
    words = shlex.split(command)[1:]
    ends = [number for number, word in enumerate(words) if word in _SHELL_ENDS]
    return words[: ends[0]] if ends else words


def parsed(command: Any, name: str, words: list[str], parent: Any = None) -> None:
    """Read the words as the command does, down to the last subcommand, without running it.

    Raises click's UsageError for what does not exist."""
    group = hasattr(command, "commands")
    context = command.make_context(name, list(words), parent=parent)
    if group:
        rest = [*context._protected_args, *context.args]
        if command.invoke_without_command and not rest:
            return
        found, below, others = command.resolve_command(context, rest)
        parsed(below, found, others, context)


def test_guides_show_commands() -> None:
    assert len(typed()) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCED.sub("", page.read_text())
    lost = []
    for link in _LINK.findall(text):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_pictures_are_small() -> None:
    assert all(each.stat().st_size < 250_000 for each in ROOT.glob("docs/images/*.png"))


def test_no_file_names_a_registry_or_a_place_on_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a Git checkout")
    named = []
    places = (*_REGISTRIES, f"{ROOT}/")
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if not file.is_file():
            continue
        text = file.read_bytes().decode(errors="replace")
        named += [f"{name}: {place}" for place in places if place in text]
    assert not named
