"""Why everyone else waits, in one sentence with evidence."""
