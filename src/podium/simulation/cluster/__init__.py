"""Podium's own workload documents on a cluster that a file describes, on virtual time."""
