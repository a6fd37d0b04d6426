"""Queues with quotas, borrowing and reclaim on virtual time: Kueue's performance tests, here."""
