"""When waiting work will start, and how long work runs."""
