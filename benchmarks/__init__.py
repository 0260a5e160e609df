"""What anonrun costs, measured: `python -m benchmarks` (or `make bench`) runs all and writes JSON and a table."""
