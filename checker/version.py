"""The version of the package; every result carries it."""

__version__ = "0.14.0"
