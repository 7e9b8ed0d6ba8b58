"""Code that the command lines of the scripts share."""

from __future__ import annotations

import argparse
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The checkout: ``python -m scripts.…`` is run from here."""

EXAMPLES = ROOT / "examples" / "posts.jsonl"


def command(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose ``--help`` shows the docstring of a script as it is written."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
