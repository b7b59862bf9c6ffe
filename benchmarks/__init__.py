"""Measures that anyone can take again: `make benchmark`. Never part of tests or CI; docs/benchmarks.md has figures."""
