"""The logs of allocations, as every engine keeps them: segments of stamped lines."""
