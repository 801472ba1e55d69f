"""Benchmarks of whole processes: `make bench-dispatch` and `make bench-workers`. See docs/benchmarks.md."""
