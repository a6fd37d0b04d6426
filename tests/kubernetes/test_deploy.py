"""Podium's chart: Helm renders it, a real API server takes it, its rights are those that the engine
uses, and what it installs runs the work of its cluster."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml

from lab.kubernetes.cluster import Cluster
from lab.kubernetes.helm import helm
from lab.kubernetes.images import WORK
from lab.kubernetes.packages import LabError, program
from lab.kubernetes.server_image import SERVER, USER, make_server
from podium import Client, __version__
from podium.domain.errors import PodiumError
from podium.engines.kubernetes.check import RIGHTS
from postgresql import programs, serving
from requirement import require

pytestmark = pytest.mark.timeout(600)

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "podium"
PASSWORD = "correct-horse-battery"
_SECONDS_MAX = 120.0

TRIAL: Mapping[str, Any] = {"postgresql": {"enabled": True}}
SMALL: Mapping[str, Any] = {"replicas": 1, "database": {"sqlite": True}}
BARE: Mapping[str, Any] = {
    **SMALL,
    "persistence": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "rbac": {"create": False},
    "serviceAccount": {"create": False},
}
WHOLE: Mapping[str, Any] = {
    "image": {"repository": "registry.example.com/podium", "digest": f"sha256:{'0' * 64}"},
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 3,
    "database": {"existingSecret": "podium-database", "key": "address"},
    "admin": {"existingSecret": "podium-admin"},
    "secretKeys": {"existingSecret": "podium-keys"},
    "persistence": {"own": {"className": "fast"}, "shared": {"existingClaim": "podium-files"}},
    "service": {"annotations": {"example.com/zone": "a"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "podium.example.com",
        "tlsSecret": "podium-tls",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "0"},
    },
    "server": {
        "trustedProxies": "10.0.0.0/8",
        "outbound": "public",
        "allowOutbound": ["10.1.0.0/16", "10.2.0.0/16"],
        "extraEnv": [{"name": "PODIUM_SESSION_DAYS", "value": "1"}],
    },
    "serviceAccount": {"name": "podium-server", "annotations": {"example.com/role": "podium"}},
    "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]},
    "serviceMonitor": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "tokenSecret": {"name": "podium-metrics"},
    },
    "podLabels": {"team": "ai"},
    "podAnnotations": {"example.com/note": "hello"},
    "nodeSelector": {"role": "control"},
    "tolerations": [{"key": "control", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "system-cluster-critical",
}
SETS = {"trial": TRIAL, "small": SMALL, "bare": BARE, "whole": WHOLE}


def refused(*words: str, values: Mapping[str, Any] | None = None) -> str:
    done = _helm(*words, values=values)
    assert done.returncode, done.stdout
    return done.stderr


def said(*words: str, values: Mapping[str, Any] | None = None, kubeconfig: str = "") -> str:
    done = _helm(*words, values=values, kubeconfig=kubeconfig)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def _helm(
    *words: str, values: Mapping[str, Any] | None = None, kubeconfig: str = ""
) -> subprocess.CompletedProcess[str]:
    try:
        chosen = helm()
    except LabError as error:
        require(str(error), False)
        raise
    command = [str(chosen), *words]
    if values is not None:
        command += ["--values", "-"]
    return subprocess.run(
        command,
        input=None if values is None else yaml.safe_dump(dict(values)),
        stdin=subprocess.DEVNULL if values is None else None,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "KUBECONFIG": kubeconfig or "/nowhere"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def rendered(values: Mapping[str, Any], *options: str) -> list[dict[str, Any]]:
    text = said("template", "podium", str(CHART), "--namespace", "there", *options, values=values)
    return [each for each in yaml.safe_load_all(text) if each]


def only(objects: list[dict[str, Any]], kind: str, name: str = "podium") -> dict[str, Any]:
    (found,) = (
        each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


# The chart by itself


def test_versions_are_podiums() -> None:
    facts = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert facts["appVersion"] == facts["version"] == __version__


@pytest.mark.parametrize("name", SETS)
def test_helm_finds_nothing_wrong(name: str) -> None:
    said("lint", "--strict", str(CHART), values=SETS[name])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Podium needs a database"),
        ({**TRIAL, "database": {"existingSecret": "mine"}}, "Choose one database"),
        ({"database": {"sqlite": True}}, "set replicas=1"),
        ({**TRIAL, "persistence": {"enabled": False}}, "the same keys for secrets"),
        ({**SMALL, "ingress": {"enabled": True}}, "ingress.host"),
        ({**SMALL, "serviceMonitor": {"enabled": True}}, "serviceMonitor.tokenSecret.name"),
        ({**SMALL, "serviceAccount": {"create": False}}, "set serviceAccount.name"),
        ({**TRIAL, "replicas": "two"}, "'/replicas': got string, want integer"),
        ({**TRIAL, "replica": 3}, "additional properties 'replica' not allowed"),
        ({**TRIAL, "database": {"url": "postgresql://a:b@c/d"}}, "'url' not allowed"),
        ({**TRIAL, "server": {"currency": "Euro"}}, "/server/currency"),
    ],
)
def test_wrong_values_are_refused_in_words(values: Mapping[str, Any], words: str) -> None:
    assert words in refused("template", "podium", str(CHART), values=values)


def test_every_value_has_a_type_in_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema_rs.Draft7Validator(schema).validate(defaults)

    def unknown(values: Mapping[str, Any], described: Mapping[str, Any]) -> list[str]:
        missing = [name for name in values if name not in described]
        for name, value in values.items():
            inner = described.get(name, {})
            if isinstance(value, dict) and value and "properties" in inner:
                missing += unknown(value, inner["properties"])
        return missing

    assert unknown(defaults, schema["properties"]) == []


@pytest.mark.parametrize("name", SETS)
def test_pods_keep_to_the_restricted_level(name: str) -> None:
    for each in rendered(SETS[name]):
        if each["kind"] != "StatefulSet":
            continue
        pod = each["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not any(pod.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC"))
        allowed = {"name", "persistentVolumeClaim", "emptyDir", "secret"}
        assert all(set(volume) <= allowed for volume in pod.get("volumes", ()))
        for container in pod["containers"]:
            wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
            assert wanted.items() <= container["securityContext"].items()
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "hostPort" not in json.dumps(container["ports"])


def test_the_image_and_the_chart_have_the_same_user() -> None:
    recipe = (CHART.parents[1] / "container" / "Dockerfile").read_text()
    assert f"\nUSER {USER}:{USER}\n" in recipe
    context = only(rendered(TRIAL), "StatefulSet")["spec"]["template"]["spec"]["securityContext"]
    assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] == USER


def test_what_is_secret_comes_from_secrets() -> None:
    objects = rendered(WHOLE)
    assert not [each for each in objects if each["kind"] == "Secret"]
    (server,) = only(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each for each in server["env"]}
    for name, secret, key in (
        ("PODIUM_DATABASE", "podium-database", "address"),
        ("PODIUM_ADMIN_PASSWORD", "podium-admin", "password"),
        ("PODIUM_SECRET_KEYS", "podium-keys", "keys"),
    ):
        assert told[name] == {
            "name": name,
            "valueFrom": {"secretKeyRef": {"name": secret, "key": key}},
        }
    assert told["PODIUM_PUBLIC_URL"]["value"] == "https://podium.example.com"
    assert told["PODIUM_ALLOW_OUTBOUND"]["value"] == "10.1.0.0/16 10.2.0.0/16"


def test_the_monitor_shows_a_token() -> None:
    (endpoint,) = only(rendered(WHOLE), "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["authorization"]["credentials"] == {"name": "podium-metrics", "key": "token"}


def test_its_rights_are_those_that_the_engine_asks_for() -> None:
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in only(rendered(TRIAL), "ClusterRole", "there-podium")["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    assert granted == {(group, resource): set(verbs) for group, resource, verbs in RIGHTS}


# On a cluster


@dataclass
class Place:
    """A namespace of one test."""

    name: str
    kubeconfig: Path

    def kubectl(self, *words: str, text: str | None = None) -> str:
        done = subprocess.run(
            [program("kubectl"), "--namespace", self.name, *words],
            env={"PATH": "/usr/bin:/bin", "KUBECONFIG": str(self.kubeconfig), "HOME": "/nowhere"},
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "--output=json"))

    def helm(self, *words: str, values: Mapping[str, Any] | None = None) -> str:
        chosen = ("--namespace", self.name)
        return said(*words, *chosen, values=values, kubeconfig=str(self.kubeconfig))

    def may(self, verb: str, resource: str, group: str = "", namespace: str = "") -> bool:
        """Whether the chart's account may, everywhere or in `namespace`."""
        name, _, part = resource.partition("/")
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": f"system:serviceaccount:{self.name}:podium",
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": {
                    "verb": verb,
                    "group": group,
                    "resource": name,
                    "subresource": part,
                    "namespace": namespace,
                },
            },
        }
        answer = self.kubectl("create", "--filename=-", "--output=json", text=json.dumps(review))
        return bool(json.loads(answer)["status"]["allowed"])


@pytest.fixture(scope="module")
def place(kubeconfig: Path) -> Iterator[Place]:
    made = Place(f"podium-deploy-test-{uuid.uuid4().hex[:6]}", kubeconfig)
    made.kubectl("create", "namespace", made.name)
    yield made
    made.kubectl("delete", "namespace", made.name, "--wait=false")


@pytest.mark.parametrize("name", SETS)
def test_the_api_server_takes_everything(name: str, place: Place) -> None:
    version = json.loads(place.kubectl("version", "--output=json"))["serverVersion"]
    known = f"{version['major']}.{version['minor'].rstrip('+')}"
    options = ("--kube-version", known, "--namespace", place.name)
    objects = rendered(SETS[name], *options)
    # Its kind is the Prometheus operator's, which a bare cluster does not have.
    taken = [each for each in objects if each["kind"] != "ServiceMonitor"]
    answer = place.kubectl(
        "apply", "--dry-run=server", "--filename=-", text=yaml.safe_dump_all(taken)
    )
    assert answer.count("created (server dry run)") == len(taken)


@pytest.fixture(scope="module")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Podium's own, on every node."""
    require("the console, which make install builds", _console_is_built())
    archive = make_server(tmp_path_factory.mktemp("image"))
    for node in cluster.nodes:
        node.load(archive)
    archive.unlink()


def _console_is_built() -> bool:
    return (Path(__file__).parents[2] / "src" / "podium" / "webroot" / "index.html").is_file()


@pytest.fixture(scope="module")
def release(cluster: Cluster, place: Place, image: None) -> Iterator[Place]:
    """The chart, installed by Helm: two servers with a PostgreSQL outside of the cluster."""
    binaries = programs()
    require("PostgreSQL's server programs", binaries)
    assert binaries is not None
    with serving(binaries, address=cluster.ground.gateway) as database:
        url = f"postgresql://podium@{cluster.ground.gateway}/{database.create()}"
        secret = ("create", "secret", "generic")
        place.kubectl(*secret, "podium-database", f"--from-literal=url={url}")
        place.kubectl(*secret, "podium-admin", f"--from-literal=password={PASSWORD}")
        volumes = _volumes(place, cluster.home / "volumes")
        values = {
            "image": {"repository": SERVER.partition(":")[0], "tag": SERVER.partition(":")[2]},
            "database": {"existingSecret": "podium-database"},
            "admin": {"existingSecret": "podium-admin"},
            "persistence": {
                "own": {"size": "1Gi", "className": place.name},
                "shared": {"size": "1Gi", "className": place.name},
            },
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        }
        try:
            place.helm("install", "podium", str(CHART), values=values)
            place.kubectl("rollout", "status", "statefulset/podium", "--timeout=180s")
            yield place
        except BaseException:
            print(place.kubectl("get", "pods,events", "--output=wide"))
            print(_logs(place))
            raise
        finally:
            place.helm("uninstall", "podium")
            place.kubectl("delete", "persistentvolumeclaim", "--all", "--wait=false")
            place.kubectl("delete", "pod", "--all", "--now")
            place.kubectl("delete", "persistentvolume", *volumes, "--wait=false")


def _volumes(place: Place, folder: Path) -> list[str]:
    """Folders that both nodes see, as a file server would have them."""
    names = []
    for number, modes in enumerate((["ReadWriteOnce"], ["ReadWriteOnce"], ["ReadWriteMany"])):
        path = folder / str(number)
        path.mkdir(parents=True)
        shutil.chown(path, USER, USER)
        path.chmod(0o770)
        name = f"{place.name}-{number}"
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": modes,
                "storageClassName": place.name,
                "hostPath": {"path": str(path)},
            },
        }
        place.kubectl("create", "--filename=-", text=json.dumps(volume))
        names.append(name)
    return names


def _logs(place: Place) -> str:
    pods = place.get("pods")["items"]
    return "\n".join(
        f"{each['metadata']['name']}:\n"
        + place.kubectl("logs", each["metadata"]["name"], "--tail=60", "--ignore-errors")
        for each in pods
    )


def test_its_account_may_what_the_engine_does(release: Place) -> None:
    lacking = [
        f"{verb} {resource}"
        for group, resource, verbs in RIGHTS
        for verb in verbs
        if not release.may(verb, resource, group)
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("verb", "resource", "group"),
    [
        ("get", "secrets", ""),
        ("list", "secrets", ""),
        ("create", "nodes/proxy", ""),
        ("delete", "nodes", ""),
        ("update", "nodes/status", ""),
        ("create", "serviceaccounts/token", ""),
        ("impersonate", "users", ""),
        ("create", "clusterroles", "rbac.authorization.k8s.io"),
        ("bind", "clusterroles", "rbac.authorization.k8s.io"),
        ("escalate", "roles", "rbac.authorization.k8s.io"),
        ("create", "clusterrolebindings", "rbac.authorization.k8s.io"),
        ("create", "deployments", "apps"),
        ("create", "persistentvolumes", ""),
        ("get", "configmaps", ""),
        ("create", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
    ],
)
def test_its_account_may_no_more(verb: str, resource: str, group: str, release: Place) -> None:
    assert not release.may(verb, resource, group)
    assert not release.may(verb, resource, group, namespace="kube-system")


def test_podium_runs_in_the_cluster_and_runs_its_work(cluster: Cluster, release: Place) -> None:
    addresses = _addresses(release)
    assert sorted(addresses) == ["podium-0", "podium-1"]
    for address in addresses.values():
        assert httpx.get(f"{address}/healthz", trust_env=False).json()["ok"]
        assert httpx.get(f"{address}/readyz", trust_env=False).json()["ok"]
        assert "<!doctype html>" in httpx.get(address, trust_env=False).text.lower()

    with _signed_in(addresses["podium-0"]) as first, _signed_in(addresses["podium-1"]) as second:
        added = first.clusters.add("here", in_cluster=True, image=WORK)
        assert added.in_cluster
        for client in (first, second):
            nodes = partial(_ready_nodes, client)
            await_true(lambda nodes=nodes: nodes() == {"here.node-a", "here.node-b"})  # type: ignore[misc]
            await_true(lambda client=client: client.clusters.get("here").state == "ready")  # type: ignore[misc]
        assert first.clusters.get("here").missing == []
        made = _ran(second)
        for client in (first, second):  # whichever of them saw its end
            assert _log(client, made) == "well met"

    # The one that does the work goes away: the other goes on, and it comes back.
    release.kubectl("delete", "pod", "podium-0", "--wait=false")
    with _signed_in(addresses["podium-1"]) as second:
        _ran(second)
    release.kubectl("rollout", "status", "statefulset/podium", "--timeout=120s")
    with _signed_in(_addresses(release)["podium-0"]) as first:
        await_true(lambda: first.clusters.get("here").state == "ready")
        _ran(first)
        assert first.audit.verify().ok

    shared = {each.name for each in (cluster.home / "volumes" / "2").iterdir()}
    assert shared >= {"audit.key", "audit-seals.jsonl"}

    # An upgrade takes one after the other, and nobody is left without a server.
    changed = ("--reuse-values", "--set", "server.auditDays=90")
    # Servers before 1.22 think that their own status of claims was written by somebody else.
    release.helm("upgrade", "podium", str(CHART), *changed, "--server-side=false")
    release.kubectl("rollout", "status", "statefulset/podium", "--timeout=120s")
    for address in _addresses(release).values():
        with _signed_in(address) as client:
            assert client.audit.state().kept_days == 90
            assert client.audit.verify().ok


def _addresses(place: Place) -> dict[str, str]:
    pods = place.get("pods", "--selector=app.kubernetes.io/component=server")["items"]
    return {
        each["metadata"]["name"]: f"http://{each['status']['podIP']}:8470"
        for each in pods
        if each["status"].get("podIP")
    }


def _signed_in(address: str) -> Client:
    with Client(address) as client:
        token = client.auth.login("admin", PASSWORD)
    return Client(address, token.token, project="default")


def _ready_nodes(client: Client) -> set[str]:
    return {each.name for each in client.nodes.list() if each.state == "ready"}


def _ran(client: Client) -> str:
    """The id of work that ran on a GPU of the cluster."""
    spec = {
        "name": f"greet-{secrets.token_hex(3)}",
        "command": ["sh", "-c", "echo well met; sleep 1"],
        "resources": {"gpus": 1, "cpus": 0.1, "memory": "64Mi"},
    }
    made = client.workloads.submit(spec)
    ended = client.workloads.wait(made.id, timeout_seconds=_SECONDS_MAX)
    assert ended.state == "succeeded", ended
    return made.id


def _log(client: Client, workload: str) -> str:
    try:
        return client.workloads.logs(workload).strip()
    except PodiumError as error:
        return error.message


def await_true(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS_MAX
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.5)
