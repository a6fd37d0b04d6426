"""What is taken from a kubeconfig, and what is refused before anybody connects anywhere."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podium.client.kubeconfig import load
from podium.domain.errors import UserError
from podium.spec.kubeconfig import read_kubeconfig
from unit import kubeconfigs
from unit.kubeconfigs import CA, CERTIFICATE, KEY, encoded

INLINE = {"client-certificate-data": encoded(CERTIFICATE), "client-key-data": encoded(KEY)}


def refused(text: str, context: str = "") -> str:
    with pytest.raises(UserError) as raised:
        read_kubeconfig(text, context)
    (fault,) = raised.value.faults
    assert fault.remedy
    assert fault.field in ("kubeconfig", "context")
    return str(fault)


def test_only_the_chosen_context_is_kept() -> None:
    found = read_kubeconfig(kubeconfigs.text())
    assert (found.context, found.server, found.ca) == ("prod", "https://10.1.2.3:6443", CA)
    kept = yaml.safe_load(found.text)
    assert [each["name"] for each in kept["contexts"]] == ["prod"]
    assert kept["users"] == [{"name": "prod", "user": {"token": "sesame-token"}}]
    assert "others-token" not in found.text
    assert "sesame" not in repr(found)
    assert read_kubeconfig(found.text) == found
    other = read_kubeconfig(kubeconfigs.text(), "other")
    assert (other.context, other.server, other.ca) == ("other", "https://10.9.9.9:6443", "")


def test_a_client_certificate_is_kept() -> None:
    found = read_kubeconfig(kubeconfigs.text(user=INLINE))
    assert (found.certificate, found.key) == (CERTIFICATE, KEY)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user": {"exec": {"command": "aws"}}}, "would run on the server"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider"),
        ({"user": {"token": "t", "as": "root"}}, "somebody else"),
        ({"user": {}}, "no credentials"),
        ({"user": {"username": "ada"}}, "no credentials"),
        ({"user": {"client-certificate-data": encoded(CERTIFICATE)}}, "without its key"),
        ({"user": {**INLINE, "client-key-data": "%"}}, "no base64"),
        ({"user": {"client-certificate": "/etc/shadow"}}, "/etc/shadow. The server does not open"),
        ({"user": {"tokenFile": "/etc/token"}}, "names a file as its tokenFile"),
        ({"user": {"token": ["t"]}}, "something else than text"),
        ({"cluster": {"insecure-skip-tls-verify": True}}, "anybody could pose"),
        ({"cluster": {"proxy-url": "http://proxy"}}, "proxy"),
        ({"cluster": {"tls-server-name": "other"}}, "tls-server-name"),
        ({"cluster": {"certificate-authority": "ca.crt"}}, "names a file"),
        ({"cluster": {"certificate-authority-data": "not base64!"}}, "no base64"),
        ({"cluster": {"certificate-authority-data": encoded("words")}}, "no certificate"),
        ({"server": "ftp://10.1.2.3"}, "no usable address"),
        ({"server": "https://me:secret@10.1.2.3"}, "no usable address"),
        ({"server": "https://10.1.2.3:99999"}, "no usable address"),
        ({"context": "gone"}, "'gone' is not in the kubeconfig. Name one of: other, prod."),
        ({"context": ""}, "no current one"),
    ],
)
def test_what_cannot_be_used_is_told(changes: dict[str, Any], words: str) -> None:
    told = refused(kubeconfigs.text(**changes))
    assert words in told
    assert "secret@" not in told


@pytest.mark.parametrize(
    "text",
    ["", "just words", "- a\n- b\n", "name: work\n", "clusters: 1", "clusters: [1]", "{", "a: *b",
     "clusters: []\ncontexts: [{name: a, context: {cluster: b, user: c}}]\ncurrent-context: a"],
)  # fmt: skip
def test_what_is_none_is_told(text: str) -> None:
    refused(text)


def test_too_long_is_told() -> None:
    assert "KiB" in refused(kubeconfigs.text() + "#" * 300_000)


def test_a_context_that_is_not_there_is_told() -> None:
    assert "Name one of: other, prod." in refused(kubeconfigs.text(), "third")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(place=st.sampled_from(["contexts", "clusters", "users", "current-context"]), value=VALUES)
def test_whatever_stands_in_it_is_read_or_refused(place: str, value: object) -> None:
    whole = {**kubeconfigs.document(), place: value}
    with contextlib.suppress(UserError):
        read_kubeconfig(yaml.safe_dump(whole, allow_unicode=True))


@given(
    part=st.sampled_from(["cluster", "user"]),
    inner=st.dictionaries(
        st.sampled_from(
            ["server", "token", "tokenFile", "certificate-authority", "client-key-data", "exec",
             "certificate-authority-data", "client-certificate", "proxy-url", "username"]
        ),
        VALUES,
        max_size=4,
    ),
)  # fmt: skip
def test_no_file_is_ever_opened_by_the_server(part: str, inner: dict[str, object]) -> None:
    try:
        found = read_kubeconfig(kubeconfigs.text(**{part: inner}))
    except UserError:
        return
    kept = yaml.safe_load(found.text)
    keys = {*kept["clusters"][0]["cluster"], *kept["users"][0]["user"]}
    assert not keys & {"tokenFile", "certificate-authority", "client-certificate", "client-key"}
    assert not keys & {"exec", "proxy-url", "insecure-skip-tls-verify"}


def test_files_of_this_machine_are_sent_along(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_text(CA)
    (tmp_path / "client.crt").write_text(CERTIFICATE)
    (tmp_path / "client.key").write_text(KEY)
    (tmp_path / "token").write_text("from-a-file\n")
    file = tmp_path / "config"
    user = {
        "client-certificate": "client.crt",
        "client-key": str(tmp_path / "client.key"),
        "tokenFile": "token",
    }
    file.write_text(kubeconfigs.text(cluster={"certificate-authority": "pki/ca.crt"}, user=user))
    found = load(file)
    assert (found.ca, found.certificate, found.key) == (CA, CERTIFICATE, KEY)
    assert yaml.safe_load(found.text)["users"][0]["user"]["token"] == "from-a-file"
    assert read_kubeconfig(found.text) == found


@pytest.mark.parametrize("missing", ["config", "pki/ca.crt"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, missing: str) -> None:
    file = tmp_path / "config"
    if missing != "config":
        file.write_text(kubeconfigs.text(cluster={"certificate-authority": missing}))
    with pytest.raises(UserError) as raised:
        load(file)
    assert missing in str(raised.value)
    assert "No such file" in str(raised.value)
