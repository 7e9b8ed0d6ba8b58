"""The version of the package; every result carries it."""

__version__ = "0.13.0"
