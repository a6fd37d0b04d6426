"""REST: one module a noun. Parses, calls intake or reads the store, answers. No logic.

`api/app.py` puts it together for the server; `python -m podium.api.openapi` prints the document.
"""
