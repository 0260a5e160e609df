"""What anonrun costs, measured: `python -m benchmarks` (or `make bench`) runs all and writes JSON and tables.

`figures` and `report` are pure; `scenarios` measure, one module each; `peers` does the same to other programs.
"""
