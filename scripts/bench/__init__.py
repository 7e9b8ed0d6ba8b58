"""Benchmarks, which fill the tables of ``docs/``: one module per subject."""
