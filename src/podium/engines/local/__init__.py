"""The engine that runs real processes on this machine. Standard library only from `warden` down:
a server holds one warden, the warden forks a shim for each allocation, the shim holds the job."""
