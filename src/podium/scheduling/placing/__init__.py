"""Where a request goes: what fits, what it costs the work to come, and which nodes for a gang."""
