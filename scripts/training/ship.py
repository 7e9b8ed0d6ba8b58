"""Copy trained models into models/embedded, convert their weights to CTranslate2 int8, and lock every file.

    python -m scripts.training.ship --runs runs --models models

The weights ship once, converted: the 32-bit ones stay in the run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from checker.models import Store
from checker.models.ctranslate2_engine import convert
from checker.models.weights import CONVERTED
from scripts.command import command

WEIGHTS = "model.safetensors"
FILES = [
    "config.json",
    "generation_config.json",
    WEIGHTS,
    "training.json",
    "source.spm",
    "target.spm",
    "vocab.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "unigrams.npz",
]


def ship(run: Path, folder: Path) -> int:
    """Replace the files in ``folder`` by those of a finished run; returns their size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
        if (run / "model" / name).exists():
            shutil.copyfile(run / "model" / name, folder / name)
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)
    convert(folder, folder / CONVERTED)
    (folder / WEIGHTS).unlink()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--only", nargs="+", default=["translator", "fluency"])
    args = parser.parse_args()
    for name in args.only:
        size = ship(args.runs / name, args.models / "embedded" / name)
        print(f"{name}: {size / 1e6:.1f} MB")
    print(Store(args.models / "registry.toml").lock_embedded())


if __name__ == "__main__":
    main()
