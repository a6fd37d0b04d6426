"""What a spec runs: command, script, code, environment and data, turned into a Program."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from podium.domain.errors import FieldFault
from podium.domain.workload import GitSource, UploadSource, Volume
from podium.spec.faults import FieldError, checked, described, each, under
from podium.spec.fields import (
    read_fields,
    read_list,
    read_map,
    read_switch,
    read_text,
    read_written,
    sound_text,
)

SCRIPT_BYTES_MAX = 512 * 2**10
COMMAND_BYTES_MAX = 512 * 2**10
ENV_BYTES_MAX = 256 * 2**10
TEXT_BYTES_MAX = 128 * 2**10 - 1
"""Linux starts no process with an argument or variable that is longer."""
VOLUMES_MAX = 32
_PATH_BYTES_MAX = 4096
_WORDS_MAX = 10_000

_UNQUOTED = re.compile(r"""[^'"\\]*""")
_WORD = re.compile(r"[^ \t\r\n]+")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT_URL = re.compile(
    r"((git\+)?https|(git\+)?ssh|http|git)://([^\s/@]+@)?[A-Za-z0-9\[][^\s/@]*/\S+"
)
_GIT_PASSWORD = re.compile(r"https?://[^\s/@]*:[^\s/@]+@\S+")
_GIT_SCP = re.compile(r"([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?![:/]/?/)[^\s:-]\S*", re.ASCII)
_GIT_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@+#=-]{0,254}")


def read_command(value: object) -> tuple[str, ...]:
    """A list is taken as it is (numbers become text); text is split as a shell would, but no
    shell runs it."""
    if isinstance(value, str):
        text = read_text(value, bytes_max=COMMAND_BYTES_MAX, what="command")
        try:
            # Nothing quoted: the same split without the tokenizer, which costs most of a check.
            words = _WORD.findall(text) if _UNQUOTED.fullmatch(text) else shlex.split(text)
        except ValueError:
            raise FieldError(
                "has a quote or a backslash without its end.",
                "Close it, or write the command as a list.",
            ) from None
    else:
        entries = read_list(value, length_max=_WORDS_MAX, example="[python, train.py]")
        read = partial(read_written, bytes_max=TEXT_BYTES_MAX)
        words = each(((str(i), entry) for i, entry in enumerate(entries)), read)
    if not words or not words[0].strip():
        raise FieldError("names no program.", "Write it like 'python train.py'.")
    if any(len(word.encode()) > TEXT_BYTES_MAX for word in words):
        raise FieldError(
            f"has a word longer than {TEXT_BYTES_MAX} bytes.", "Put long input into a file."
        )
    if sum(len(word.encode()) for word in words) > COMMAND_BYTES_MAX:
        raise FieldError(f"is longer than {COMMAND_BYTES_MAX} bytes.", "Use a script or a file.")
    return tuple(words)


def read_script(value: object) -> str:
    return read_text(value, bytes_max=SCRIPT_BYTES_MAX, what="script")


def read_image(value: object) -> str:
    image = read_text(value, bytes_max=512, what="image")
    if any(letter.isspace() or not letter.isprintable() for letter in image):
        raise FieldError("holds a space.", "Write it like registry.example.com/team/train:1.4.")
    return image


def read_env(value: object) -> tuple[tuple[str, str], ...]:
    """Variables sorted by name."""
    variables = read_map(value, "NAME: VALUE")

    def read(name: object) -> tuple[str, str]:
        assert isinstance(name, str)
        if _ENV_NAME.fullmatch(name) is None:
            raise FieldError(
                "is not a variable's name.",
                "Use letters, digits and '_', and no digit first.",
            )
        return name, read_written(variables[name], bytes_max=TEXT_BYTES_MAX - len(name) - 1)

    pairs = each(((name, name) for name in variables), read)
    size = sum(len(name) + len(text.encode()) + 2 for name, text in pairs)
    if size > ENV_BYTES_MAX:
        raise FieldError(
            f"is {size} bytes in all; the limit is {ENV_BYTES_MAX}.", "Put large values in a file."
        )
    return tuple(sorted(pairs))


def read_volumes(value: object) -> tuple[Volume, ...]:
    """A map of names to paths, or a list of `{name, path, read_only}`."""
    if isinstance(value, Mapping):
        named = read_map(value, "NAME: PATH")
        if len(named) > VOLUMES_MAX:
            raise FieldError(f"has {len(named)} entries; the limit is {VOLUMES_MAX}.")
        return tuple(
            each(
                ((name, name) for name in named),
                lambda name: Volume(_volume_name(name), _volume_path(named[str(name)])),
            )
        )
    entries = read_list(value, length_max=VOLUMES_MAX, example="{data: /srv/data}")
    volumes = each(((str(i), entry) for i, entry in enumerate(entries)), _volume)
    names = [volume.name for volume in volumes]
    faults = [
        FieldFault(f"{i}.name", f"is '{name}' a second time.", "Give it another name.")
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    if faults:
        raise FieldError(faults=faults)
    return tuple(volumes)


def _volume(value: object) -> Volume:
    fields = read_fields(
        value,
        {"name": _volume_name, "path": _volume_path, "read_only": read_switch},
        defaults={"read_only": False},
    )
    return Volume(str(fields["name"]), str(fields["path"]), fields["read_only"] is True)


def _volume_name(value: object) -> str:
    if not isinstance(value, str) or _VOLUME_NAME.fullmatch(value) is None:
        raise FieldError(
            f"is {described(value)}, which is not a volume's name.",
            "Use up to 63 letters, digits, '.', '_' and '-', with a letter or digit first.",
        )
    return value


def _volume_path(value: object) -> str:
    path = read_text(value, bytes_max=_PATH_BYTES_MAX, what="path")
    if not path.startswith("/"):
        raise FieldError(f"is {described(path)}, not a whole path.", "Begin it with '/'.")
    if ".." in path.split("/"):
        raise FieldError("goes up with '..'.", "Write the path without it.")
    return path


VOLUMES_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {
            "type": "array",
            "maxItems": VOLUMES_MAX,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "path": {"type": "string"},
                    "read_only": {"type": ["boolean", "null"]},
                },
                "required": ["name", "path"],
                "additionalProperties": False,
            },
        },
    ]
}


_Text = Annotated[
    str,
    checked(partial(read_text, bytes_max=_PATH_BYTES_MAX)),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
_Ref = Annotated[
    str | float,
    checked(partial(read_written, bytes_max=255)),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


class SourceSpec(BaseModel):
    """Where the code comes from: one of `git` (with `ref`), `upload` and `path`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    git: _Text | None = Field(
        None,
        description="Address of a Git repository: https, ssh, or user@host:path; http and git "
        "where operators have named the host's network.",
        examples=["https://git.example.com/team/train.git", "git@git.example.com:team/train.git"],
    )
    ref: _Ref | None = Field(
        None,
        description="Branch, tag or commit; left out, the repository's own main branch.",
        examples=["main", "v1.4"],
    )
    upload: _Text | None = Field(
        None, description="SHA-256 of an archive that was uploaded before."
    )
    path: _Text | None = Field(
        None,
        description="A local folder. The command line uploads it and puts `upload` in its place; "
        "the server itself takes no path.",
        examples=["."],
    )


def source_fault(spec: SourceSpec) -> FieldFault | None:
    """What is wrong with the source, or None; what `source_of` needs."""
    if spec.path is not None:
        return FieldFault(
            "source.path",
            "is a folder on your machine, which the server cannot read.",
            "Submit with the podium command, which uploads it, or upload it and name it by upload.",
        )
    if (spec.git is None) == (spec.upload is None):
        wrong = "names no code." if spec.git is None else "names both git and upload."
        return FieldFault("source", wrong, "Write either git or upload under it.")
    if spec.git is None:
        if spec.ref is not None:
            return FieldFault("source.ref", "goes with git only.", "Leave it out.")
        if _SHA256.fullmatch(spec.upload or "") is None:
            return FieldFault(
                "source.upload",
                "is not a SHA-256.",
                "Write the 64 lower-case hexadecimal digits that the upload answered.",
            )
        return None
    return _git_fault(spec.git) or (None if spec.ref is None else _ref_fault(_ref(spec.ref)))


def source_of(spec: SourceSpec | None) -> GitSource | UploadSource | None:
    if spec is None:
        return None
    if spec.git is not None:
        return GitSource(spec.git, "HEAD" if spec.ref is None else _ref(spec.ref))
    assert spec.upload is not None
    return UploadSource(spec.upload)


def _git_fault(url: str) -> FieldFault | None:
    try:
        sound_text(url, bytes_max=2048)
    except FieldError as error:
        return under("source.git", error.faults)[0]
    remedy = "Write it like https://git.example.com/team/train.git."
    if url.lower().startswith("file:"):
        return FieldFault("source.git", "is a file on some machine, which is not fetched.", remedy)
    if _GIT_PASSWORD.fullmatch(url):
        return FieldFault(
            "source.git",
            "holds a password, which everyone who sees the workload could read.",
            "Take it out of the address.",
        )
    if _GIT_URL.fullmatch(url) is None and ("://" in url or _GIT_SCP.fullmatch(url) is None):
        return FieldFault("source.git", "is not the address of a Git repository.", remedy)
    return None


def _ref(written: str | float) -> str:
    # A commit or a version may look like a number to YAML.
    return read_written(written, bytes_max=255)


def _ref_fault(ref: str) -> FieldFault | None:
    if _GIT_REF.fullmatch(ref) and ".." not in ref and "@{" not in ref:
        return None
    return FieldFault(
        "source.ref", "is not a branch, tag or commit.", "Write it like main, v1.4 or a commit."
    )
