"""`python -m lab.kubernetes`: a real Kubernetes on this machine, for a person at a terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.kubernetes import ability, binaries, packages
from lab.kubernetes.cluster import Cluster
from lab.kubernetes.packages import LabError

_DEEDS = ("cut", "join", "kill", "start-again", "kill-kubelet", "start-kubelet")


def main() -> int:
    options = _parser().parse_args()
    try:
        _do(options)
    except LabError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _do(options: argparse.Namespace) -> None:
    match options.command:
        case "able":
            if reason := ability.why_not():
                raise LabError(reason)
        case "packages":
            wanted = {**packages.TO_RUN, **({} if binaries.built() else packages.TO_BUILD)}
            for name in packages.missing(wanted):
                print(name)
        case "binaries":
            print(binaries.build(_say))
        case "up":
            _up(options)
        case "down":
            Cluster.at(options.home).down()
        case "gpus":
            mig = dict(each.split("=", 1) for each in options.mig)
            Cluster.at(options.home).set_gpus(
                options.node,
                options.count,
                mig={profile: int(count) for profile, count in mig.items()},
            )
        case _:
            node = Cluster.at(options.home).node(options.node)
            getattr(node, options.command.replace("-", "_"))()


def _up(options: argparse.Namespace) -> None:
    cluster = Cluster(
        options.home,
        nodes=options.nodes,
        hollow=options.hollow,
        pretended=options.pretended,
        virtual_gpus=options.virtual_gpus,
        say=_say,
    )
    try:
        cluster.up()
    except BaseException:
        cluster.down()
        raise
    print(f"export KUBECONFIG={cluster.kubeconfig}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.kubernetes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "able", help="whether this machine can do it; if not, say why and end with 1"
    )
    commands.add_parser("packages", help="print the Debian packages that are missing")
    commands.add_parser("binaries", help="build Kubernetes' programs, once for this user")
    up = commands.add_parser("up", help="start a cluster; it runs until down")
    up.add_argument("--nodes", type=int, default=2, help="real nodes (default: 2)")
    up.add_argument(
        "--hollow", type=int, default=0, metavar="N", help="real kubelets that run nothing"
    )
    up.add_argument(
        "--pretended", type=int, default=0, metavar="N", help="nodes that are words alone"
    )
    up.add_argument(
        "--virtual-gpus", type=int, default=0, metavar="N", help="GPUs that each node says it has"
    )
    gpus = commands.add_parser("gpus", help="change the GPUs that a node says it has")
    gpus.add_argument("node")
    gpus.add_argument("count", type=int)
    gpus.add_argument("--mig", action="append", default=[], metavar="PROFILE=COUNT")
    for deed in _DEEDS:
        commands.add_parser(deed, help=f"{deed.replace('-', ' ')} of a node").add_argument("node")
    commands.add_parser("down", help="end a cluster and leave nothing running")
    for name, command in commands.choices.items():
        if name not in ("able", "packages", "binaries"):
            command.add_argument(
                "--home", type=Path, required=True, metavar="DIR", help="the cluster's folder"
            )
    return parser


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
