"""Surroundings for tests and benchmarks that one cannot install from a lock; no part of Podium."""
