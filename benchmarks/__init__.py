"""Each figure that the README quotes, measured on a real server: `python -m benchmarks`."""
