"""Nouns and laws. Standard library only; frozen values; no clock, no input or output."""
