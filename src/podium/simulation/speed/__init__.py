"""How fast the scheduler decides: snapshots of known shapes, one cycle timed on each."""
