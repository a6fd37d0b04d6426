"""The YAML and JSON that people write and read (Pydantic), turned into domain values.

`spec/workload.py` is what a person submits; `spec/views/` is what the API answers, shared by the
server that writes it and the client that reads it.
"""
