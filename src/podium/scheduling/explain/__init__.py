"""Why something waits, what would change that, and what a change of the cluster would do."""
