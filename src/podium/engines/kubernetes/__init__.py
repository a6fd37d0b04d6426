"""The engine for Kubernetes: each replica is a pod, on the node that Podium chose."""
