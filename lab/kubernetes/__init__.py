"""A real Kubernetes on one Debian machine, without a container engine or an image registry.

`python -m lab.kubernetes` starts it for a person, `Cluster` for tests and benchmarks;
docs/kubernetes-lab.md tells how it is put together.
"""
