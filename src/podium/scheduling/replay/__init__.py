"""Decisions on record: as bytes, decided again, and without names."""
