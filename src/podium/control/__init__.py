"""Loops that make reality match the store. Each reads a state, acts, and writes the next one.

Loops take no arguments, are idempotent and need no memory; what some keep is a cache whose loss
costs time only. Hints wake them early; without any hint they still come round.
"""
