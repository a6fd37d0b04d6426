"""What people write as the address of a repository, and what git is left to do with it. A real git
fetches from real servers on the loopback."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.harness import LOOPBACK
from loopback_tls import authority
from podium.domain.errors import TemporaryError
from podium.domain.outbound import Outbound, OutboundError
from podium.engines.local.git_source import git_command, git_environment, git_fetch, git_place
from podium.engines.local.source import PrepareError

OPEN = Outbound()


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id", "ext::sh%20-c%20id", "file:///etc", "/etc/passwd", "fd::3", "",
        "--upload-pack=touch /tmp/x", "-oProxyCommand=touch:x", "ssh://-oProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y", "-x@host:path", "http+ext://h/x", "ftp://h/x", "ftps://h/x",
        "gopher://h/x", "HTTPS://h", "https://", "https:///x", "git+file:///etc",
        "https://127.0.0.1/x", "https://localhost/x.git", "https://[::1]/x", "https://0.0.0.0/x",
        "https://0x7f.1/x", "https://2130706433/x", "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/x", "https://metadata.google.internal/x", "https://[::ffff:7f00:1]/x",
        "git@127.0.0.1:team/x.git", "localhost:x", "ssh://git@localhost:22/x",
        "git+ssh://git@127.0.0.1/x", "https://evil.example\\@10.0.0.1/x", "https://a#@10.0.0.1/x",
        "https://10.0.0.1 /x", "https://10.0.0.1\n/x", "https://10.0.0.1:99999999/x",
        "http://10.0.0.1/x", "git://10.0.0.1/x",
    ],
)  # fmt: skip
def test_what_is_not_open(url: str) -> None:
    with pytest.raises((OutboundError, TemporaryError)):
        git_place(url, OPEN)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://10.0.0.1/team/x.git", "10.0.0.1", 443),
        ("git+https://10.0.0.1:8443/x", "10.0.0.1", 8443),
        ("ssh://git@10.0.0.1:2222/x", "10.0.0.1", 2222),
        ("git@10.0.0.1:team/x.git", "10.0.0.1", 22),
    ],
)
def test_what_is_open(url: str, host: str, port: int) -> None:
    place = git_place(url, OPEN)
    assert (place.host, place.port, place.addresses) == (host, port, ("10.0.0.1",))
    assert git_environment(place)["GIT_ALLOW_PROTOCOL"] == place.scheme
    if place.scheme == "https":
        assert f"http.curloptResolve={host}:{port}:10.0.0.1" in git_command(place)
    else:
        assert "HostName=10.0.0.1" in git_environment(place)["GIT_SSH_COMMAND"]
        with pytest.raises(OutboundError):
            git_place(url, Outbound(private=False))


class _Handler(http.server.SimpleHTTPRequestHandler):
    redirects: dict[str, str] = {}  # noqa: RUF012 - of one test, set by it
    asked: list[str] = []  # noqa: RUF012
    locked = False

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.locked:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        for start, target in self.redirects.items():
            if self.path.startswith(start):
                self.send_response(301)
                self.send_header("Location", target + self.path.removeprefix(start))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def host(
    git: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, type[_Handler]]]:
    """A repository `code.git` behind https://localhost, which the node's git trusts."""
    served = tmp_path / "served"
    work = tmp_path / "code"
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main", str(work)],
        ["git", "-C", str(work), "-c", "user.name=a", "-c", "user.email=a@b.example", "commit",
         "--quiet", "--allow-empty", "-m", "one"],
        ["git", "clone", "--quiet", "--bare", str(work), str(served / "code.git")],
        ["git", "-C", str(served / "code.git"), "update-server-info"],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    trusted = authority(tmp_path, "localhost")
    (tmp_path / "ca.pem").write_text(trusted.ca)
    (tmp_path / ".gitconfig").write_text(
        f"[http]\n\tsslCAInfo = {tmp_path}/ca.pem\n"
        f'[credential]\n\thelper = "!touch {tmp_path}/asked; echo username=a; echo password=b"\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = type("Handler", (_Handler,), {"redirects": {}, "asked": [], "locked": False})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *rest: handler(*rest, directory=str(served))
    )
    server.socket = trusted.server.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url: str, work: Path) -> None:
    allowed = [str(each) for each in LOOPBACK.allowed]
    work.mkdir()
    git_fetch({"url": url, "ref": "main", "reach": "private", "allowed": allowed}, str(work))


def test_code_comes_over_https(host: tuple[str, type[_Handler]], tmp_path: Path) -> None:
    fetch(f"{host[0]}/code.git", tmp_path / "work")
    assert (tmp_path / "work" / ".git" / "HEAD").exists()


def test_a_redirect_to_where_it_may_go_is_followed(
    host: tuple[str, type[_Handler]], tmp_path: Path
) -> None:
    url, handler = host
    handler.redirects["/old"] = f"{url}/code.git"
    fetch(f"{url}/old", tmp_path / "work")
    assert (tmp_path / "work" / ".git" / "HEAD").exists()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("https://169.254.169.254/x", "link-local"),
        ("http://localhost/x", "no repository"),
        ("file:///etc", "no repository"),
        ("ext::sh -c id", "no repository"),
    ],
)
def test_a_redirect_elsewhere_is_not(
    host: tuple[str, type[_Handler]], tmp_path: Path, target: str, words: str
) -> None:
    url, handler = host
    handler.redirects["/old"] = target
    with pytest.raises(PrepareError, match=words):
        fetch(f"{url}/old", tmp_path / "work")


def test_a_ring_of_redirects_ends(host: tuple[str, type[_Handler]], tmp_path: Path) -> None:
    url, handler = host
    handler.redirects["/old"] = f"{url}/old"
    with pytest.raises(PrepareError, match="again and again"):
        fetch(f"{url}/old", tmp_path / "work")
    assert len(handler.asked) < 10


def test_the_nodes_credentials_are_not_asked_for(
    host: tuple[str, type[_Handler]], tmp_path: Path
) -> None:
    url, handler = host
    handler.locked = True
    with pytest.raises(PrepareError, match="could not be fetched"):
        fetch(f"{url}/code.git", tmp_path / "work")
    assert not (tmp_path / "asked").exists()
    # The same helper is asked by a git that is let.
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0"}
    look = ["git", "ls-remote", f"{url}/code.git"]
    told = subprocess.run(look, env=plain, capture_output=True, text=True, check=False)
    assert (tmp_path / "asked").exists(), told.stderr


def test_hooks_and_options_of_a_repository_do_nothing(
    host: tuple[str, type[_Handler]], tmp_path: Path
) -> None:
    with pytest.raises(PrepareError, match="not a Git address"):
        git_fetch(
            {"url": f"{host[0]}/code.git", "ref": "--upload-pack=x", "reach": "private",
             "allowed": ["127.0.0.0/8", "::1"]},
            str(tmp_path / "work"),
        )  # fmt: skip
