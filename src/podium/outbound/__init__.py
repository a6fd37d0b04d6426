"""Connections that the server makes for somebody: names resolved, checked and pinned."""
