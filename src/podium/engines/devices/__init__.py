"""GPUs and what their driver does with them; used by every engine that has a machine in hand."""
