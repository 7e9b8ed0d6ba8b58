"""Measurements, and the tables of ``docs/`` that they fill: one module per subject."""
