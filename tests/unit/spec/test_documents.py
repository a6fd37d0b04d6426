"""Bytes become plain documents, or a refusal that says where and why."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.errors import UserError
from podium.spec.documents import ALIASED_CHARACTERS_MAX, load_documents

JSON = "application/json; charset=utf-8"


def refusal_of(body: bytes, content_type: str = "application/yaml") -> str:
    with pytest.raises(UserError) as caught:
        load_documents(body, content_type=content_type)
    return str(caught.value)


def test_many_documents_and_empty_ones() -> None:
    body = b"---\nname: a\n---\n---\n# nothing\n---\nname: b\n"
    assert load_documents(body) == [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("-2", -2),
        ("0.5", 0.5),
        ("2.10", "2.10"),
        ("010", "010"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2031-07-01", "2031-07-01"),
        ("9" * 5000, "9" * 5000),
        ("true", True),
        ("yes", "yes"),
        ("off", "off"),
        (".inf", ".inf"),
        ("null", None),
        ("", None),
        ("~", None),
        ("'2'", "2"),
        ('"true"', "true"),
        ("!!str 2", "2"),
        ("!!int 2", 2),
        ("! 2", "2"),
        ("24GB..", "24GB.."),
    ],
)
def test_plain_values_keep_their_digits(text: str, value: object) -> None:
    assert load_documents(f"key: {text}\n".encode()) == [{"key": value}]


def test_names_of_fields_are_text() -> None:
    assert load_documents(b"{1: a, true: b, 2.10: c}") == [{"1": "a", "true": "b", "2.10": "c"}]


def test_aliases_stand_for_what_they_name() -> None:
    body = b"a: &x {k: [1, 2]}\nb: *x\nc: &n name\n*n : d\n"
    assert load_documents(body) == [
        {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": "name", "name": "d"}
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "There is no workload in it."),
        (b"--- \n...\n", "There is no workload in it."),
        (b"name: \xff\n", "Byte 7 (line 1) is not valid UTF-8"),
        (b"a: 1\nname: [1, 2\n", "line 3, column 1"),
        (b"name: a: b\n", "Put a text that holds ': ' in quotes"),
        (b"a:\n\tb: 1\n", "YAML allows no tabs"),
        (b"a: 1\nb: 2\na: 3\n", "Line 3, column 1: the field 'a' is there twice."),
        (b"- name: a\n", "The document is a list; a workload is a map"),
        (b"name: a\n---\njust words\n", "Document 2 is the text 'just words'"),
        (b"a: *b\n", "stands for nothing"),
        (b"a: &a [*a]\n", "stands for nothing"),
        (b"? [a]\n: b\n", "a field's name must be text"),
        (
            b"a: !!python/object:os.system x\n",
            "the tag 'tag:yaml.org,2002:python/object:os.system'",
        ),
        (b"a: !!set {x}\n", "is not allowed"),
        (b"a: \x01\n", "control character near line 1"),
        (b"[" * 100_000, "nested more than"),
        (b"- " * 100_000, "nested more than"),
        (b"{a: " * 100_000, "nested more than"),
    ],
)
def test_yaml_that_is_refused(body: bytes, words: str) -> None:
    assert words in refusal_of(body)


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    assert "repeat too much" in refusal_of("\n".join(lines).encode())
    long_text = "x" * (ALIASED_CHARACTERS_MAX // 2)
    assert "repeat too much" in refusal_of(f"a: &a {long_text}\nb: [*a, *a, *a]\n".encode())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "line 1, column 1"),
        (b'{"name": "a",}', "line 1, column"),
        (b'{"a": 1, "a": 2}', "The field 'a' is there twice."),
        (b'{"a": NaN}', "NaN is not a JSON value."),
        (b'"words"', "The document is the text 'words'"),
        (b"[]", "There is no workload in it."),
        (b"[" * 200_000, "nested more than"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested more than"),
    ],
)
def test_json_that_is_refused(body: bytes, words: str) -> None:
    assert words in refusal_of(body, JSON)


def test_json_of_one_and_of_many() -> None:
    assert load_documents(b'\xef\xbb\xbf{"a": [0.5, 2.10]}', content_type=JSON) == [
        {"a": [0.5, "2.10"]}
    ]
    assert load_documents(b'[{"a": 1}, {"b": 2}]', content_type=JSON) == [{"a": 1}, {"b": 2}]


def documents_or_words(body: bytes, content_type: str) -> list[dict[str, object]] | str:
    try:
        return load_documents(body, content_type=content_type)
    except UserError as refusal:
        return str(refusal)


@given(
    body=st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode(errors="replace")),
    content_type=st.sampled_from(["application/yaml", JSON]),
)
def test_any_bytes_are_documents_or_refused(body: bytes, content_type: str) -> None:
    assert documents_or_words(body, content_type)


@given(text=st.text(alphabet="ab:-[]{}&*!?|>'\"#,% \n\t1.~", max_size=60))
def test_yaml_like_text_is_documents_or_refused(text: str) -> None:
    assert json.dumps(documents_or_words(text.encode(), "application/yaml"))
