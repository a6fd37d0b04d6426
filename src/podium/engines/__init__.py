"""Engines run allocations on machines. `contract.py` is the promise; each folder keeps it."""
