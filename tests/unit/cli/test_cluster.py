"""`podium cluster`: what it sends and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from unit import kubeconfigs


def view(**changes: Any) -> dict[str, Any]:
    return {
        "name": "munich", "region": "eu-central", "labels": {"zone": "secure"}, "image": "",
        "in_cluster": False, "groups_prefix": "", "server": "https://10.1.2.3:6443",
        "context": "prod",
        "added_at": "2031-06-01T08:00:00Z", "added_by": "root", "state": "ready",
        "since": "2031-06-01T08:00:00Z", "words": "", "version": "v1.30.1", "missing": [],
        "drifts": [], "nodes": 3, "nodes_ready": 2, "gpus": 8, "gpu_milli_used": 2500,
        "seen_at": "2031-06-01T08:00:00Z", **changes,
    }  # fmt: skip


def checked(**changes: Any) -> dict[str, Any]:
    return {
        "server": "https://10.1.2.3:6443", "context": "prod", "version": "v1.30.1", "nodes": 3,
        "gpus": 8, "missing": [], "ok": True, **changes,
    }  # fmt: skip


def file_in(folder: Path, **changes: Any) -> str:
    file = folder / "config"
    file.write_text(kubeconfigs.text(**changes))
    return str(file)


def test_add_checks_first_and_sends_files_along(podium: Any, server: Any, tmp_path: Path) -> None:
    server.on("POST", "/clusters/check", checked())
    server.on("POST", "/clusters", (201, view()))
    (tmp_path / "token").write_text("from-a-file")
    file = file_in(tmp_path, user={"tokenFile": "token"})
    done = podium("cluster", "add", "munich", "--kubeconfig", file, "--region", "eu-central",
                  "--label", "zone=secure", "--label", "a=b=c")  # fmt: skip
    assert done.code == 0
    assert "podium cluster set munich --image" in done.err
    check, add = server.asked
    assert (check.path, add.path) == ("/clusters/check", "/clusters")
    sent = add.document
    assert yaml.safe_load(sent.pop("kubeconfig"))["users"][0]["user"] == {"token": "from-a-file"}
    assert sent == {
        "name": "munich", "context": "prod", "in_cluster": False, "region": "eu-central",
        "labels": {"zone": "secure", "a": "b=c"}, "image": "", "groups_prefix": "",
    }  # fmt: skip


def test_add_stops_where_rights_are_missing(podium: Any, server: Any, tmp_path: Path) -> None:
    missing = ["list, watch nodes", "create pods/exec"]
    server.on("POST", "/clusters/check", checked(missing=missing, ok=False))
    server.on("POST", "/clusters", (201, view()))
    add = ("cluster", "add", "munich", "--kubeconfig", file_in(tmp_path))
    stopped = podium(*add)
    assert stopped.code == 1
    assert "list, watch nodes; create pods/exec" in stopped.err
    assert "--no-check" in stopped.err
    assert [each.path for each in server.asked] == ["/clusters/check"]
    assert podium(*add, "--no-check", "--json").document == view()
    assert [each.path for each in server.asked] == ["/clusters/check", "/clusters"]


def test_what_is_wrong_with_a_file_is_told_before_anything_is_sent(
    podium: Any, server: Any, tmp_path: Path
) -> None:
    file = file_in(tmp_path, user={"exec": {"command": "aws"}})
    for arguments, words in (
        (("add", "x", "--kubeconfig", str(tmp_path / "none")), "No such file"),
        (("add", "x", "--kubeconfig", file), "would run on the server"),
        (("add", "x", "--kubeconfig", file, "--context", "gone"), "Name one of: other, prod"),
        (("add", "x"), "Name a file, or write --in-cluster"),
        (("add", "x", "--in-cluster", "--kubeconfig", file), "does not go with"),
        (("check", str(tmp_path / "none")), "No such file"),
        (("set", "x"), "Nothing is to be changed"),
        (("set", "x", "--context", "prod"), "is missing"),
        (("set", "x", "--label", "a=b", "--no-labels"), "does not go with --label"),
        (("set", "x", "--label", "words"), "is no label"),
    ):
        done = podium("cluster", *arguments)
        assert done.code == 1, arguments
        assert words in done.err
    assert server.asked == []


def test_list_and_show(podium: Any, server: Any) -> None:
    away = view(name="oslo", state="unreachable", words="It does not answer.", version="")
    server.on("GET", "/clusters", {"items": [view(), away]})
    listed = podium("cluster", "list").out
    assert "unreachable for" in listed
    munich = next(line for line in listed.splitlines() if line.startswith("munich"))
    assert munich.split() == ["munich", "ready", "3", "8", "2.5", "eu-central", "v1.30.1"]
    assert podium("cluster", "list", "--json").document["items"] == [view(), away]
    server.on("GET", "/clusters/oslo", away)
    shown = podium("cluster", "show", "oslo").out
    assert "It does not answer." in shown
    assert "3, 2 ready" in shown
    assert "Changed by others" not in shown
    words = "NetworkPolicy podium in the namespace podium-vision was removed; it is there again."
    drift = {"at": "2031-06-01T08:00:00Z", "project": "vision", "words": words, "mended": True}
    server.on("GET", "/clusters/munich", view(groups_prefix="oidc:", drifts=[drift]))
    shown = podium("cluster", "show", "munich").out
    assert "oidc:NAME" in shown
    assert "Changed by others" in shown
    assert words in " ".join(shown.split())
    server.on("GET", "/clusters", {"items": []})
    assert "There is no cluster" in podium("cluster", "list").err


def test_set_sends_what_is_named(podium: Any, server: Any, tmp_path: Path) -> None:
    server.on("PATCH", "/clusters/munich", view())
    podium("cluster", "set", "munich", "--region", "")
    assert server.asked[-1].document == {"region": ""}
    podium("cluster", "set", "munich", "--no-labels", "--image", "a/b:1")
    assert server.asked[-1].document == {"labels": {}, "image": "a/b:1"}
    podium("cluster", "set", "munich", "--in-cluster")
    assert server.asked[-1].document == {"in_cluster": True}
    podium("cluster", "set", "munich", "--groups-prefix", "oidc:")
    assert server.asked[-1].document == {"groups_prefix": "oidc:"}
    podium("cluster", "set", "munich", "--kubeconfig", file_in(tmp_path), "--context", "other")
    sent = server.asked[-1].document
    assert sent["context"] == "other"
    assert "others-token" in sent["kubeconfig"]
    assert "sesame" not in sent["kubeconfig"]


def test_remove(podium: Any, server: Any) -> None:
    gone = {"name": "munich", "nodes": 3, "replicas": 2, "workloads": 1}
    server.on("DELETE", "/clusters/munich", gone)
    said = podium("cluster", "remove", "munich", "--force").out
    assert said.strip() == (
        "Cluster munich is removed with 3 nodes. 2 replicas there were given up."
    )
    assert server.asked[-1].query == {"force": ["true"]}
    assert podium("cluster", "remove", "munich", "--json").document == gone


def test_check_ends_as_it_found(podium: Any, server: Any, tmp_path: Path) -> None:
    server.on("POST", "/clusters/check", checked())
    done = podium("cluster", "check", file_in(tmp_path))
    assert (done.code, "v1.30.1" in done.out) == (0, True)
    server.on("POST", "/clusters/check", checked(missing=["create pods"], ok=False))
    assert podium("cluster", "check", file_in(tmp_path)).code == 1


def test_nodes_of_a_cluster(podium: Any, server: Any) -> None:
    node = {
        "name": "munich.a", "engine": "kubernetes/munich", "cluster": "munich", "state": "ready",
        "address": "10.0.0.1", "cpu_milli": 1000, "cpu_milli_used": 0, "memory_bytes": 2**30,
        "memory_bytes_used": 0, "devices": [], "seen_at": "2031-06-01T08:00:00Z",
    }  # fmt: skip
    server.on("GET", "/clusters/munich", view())
    server.on("GET", "/nodes", {"items": [node], "next_cursor": None})
    shown = podium("nodes", "--cluster", "munich").out
    assert "CLUSTER" in shown
    assert server.asked[-1].query["cluster"] == ["munich"]
    assert podium("nodes", "--cluster", "none").code == 3
