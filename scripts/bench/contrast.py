"""Try two language models tuned in contrast, and probability curvature, by family.

    python -m scripts.bench.contrast --corpora CORPORA --evidence runs/evidence --languages cs de en ja ru uk

The embedded language model is tuned twice, on the human and on the machine side of the same sources: the
ratio of the two likelihoods of a post, a token at a time, leaves its topic out (translationese index, arXiv
2507.12260). Curvature is how far the tokens of a post are likelier than what the model itself would draw in
their places, over the deviation of that (Fast-DetectGPT, arXiv 2310.05130); it needs no training.

Posts are those that the verdict is fitted on (``scripts.training.verdict``): no detector was trained on their
families, but the embedded language model has seen the lines of NTREX among them. ``--evidence`` has what
style and encoder say of them. The table is the mean AUC over languages: each of them alone, then style and
encoder in a logistic regression without and with them, families held out in turn.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn

from checker.models import Store
from checker.models.weights import network
from checker.statistics import Floats
from checker.text import clean, sentences, width
from checker.verdict.model import BANDS
from scripts.bench.tables import Table, add_option, progress, publish
from scripts.command import command
from scripts.training.corpora import LANGUAGES
from scripts.training.encoder_data import draw_system, labelled_rows, read_sets
from scripts.training.made import made
from scripts.training.technical import is_documentation
from scripts.training.verdict import unseen

TOKENS = 160
BATCH = 24
Rows = list[list[int]]


class Reader:
    """Numbers of the tokens of a text behind the tag of its language."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.encode_special_tokens = True

    def __call__(self, texts: Sequence[str], language: str) -> Rows:
        tag = int(self._tokenizer.token_to_id(f">>{language}<<") or 0)
        return [[tag, *code.ids[:TOKENS]] for code in self._tokenizer.encode_batch(list(texts))]


def pairs(corpora: Path, language: str, most: int) -> list[tuple[str, str]]:
    """A human and a machine version of the same lines; systems and sets in turn."""
    rng = random.Random(language)
    sets = read_sets(labelled_rows(corpora, language))
    usable = [entry for entry in sets.values() if entry.humans and entry.machines]
    found = []
    for _ in range(most):
        entry = rng.choice(usable)
        human = entry.humans[rng.choice(sorted(entry.humans))]
        machine = entry.machines[draw_system(entry.machines, rng)]
        if common := human.keys() & machine.keys():
            line = rng.choice(sorted(common))
            found.append((clean(human[line]).text, clean(machine[line]).text))
    return found


def padded(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and labels; -100 where there is nothing to predict."""
    longest = max(map(len, rows))
    inputs = torch.zeros(len(rows), longest - 1, dtype=torch.long)
    labels = torch.full((len(rows), longest - 1), -100)
    for number, row in enumerate(rows):
        inputs[number, : len(row) - 1] = torch.tensor(row[:-1])
        labels[number, : len(row) - 1] = torch.tensor(row[1:])
    return inputs, labels


def tune(model: Any, rows: Rows, steps: int, lr: float = 3e-4) -> None:
    """Train in place; the rate falls to zero."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    rng, loss = random.Random(1), torch.zeros(())
    for step in range(steps):
        inputs, labels = padded(rng.sample(rows, min(BATCH, len(rows))))
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 - step / steps)
        logits = model(input_ids=inputs, use_cache=False).logits
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    print(f"{steps} steps, loss {loss.item():.3f}", flush=True)
    model.eval()


@torch.inference_mode()
def likelihoods(model: Any, rows: Rows, *, curved: bool = False) -> tuple[Floats, Floats]:
    """Mean log-likelihood of a token, nats, and the curvature (zeros unless asked for)."""
    mean, curve = np.zeros(len(rows)), np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda n: len(rows[n]))
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        inputs, labels = padded([rows[n] for n in part])
        logs = model(input_ids=inputs, use_cache=False).logits.log_softmax(-1)
        shown = labels != -100
        said = logs.gather(-1, labels.clamp(min=0)[..., None])[..., 0] * shown
        count = shown.sum(1)
        mean[part] = (said.sum(1) / count).numpy()
        if curved:
            chance = logs.exp()
            expected = (chance * logs).sum(-1)
            variance = (chance * logs.square()).sum(-1) - expected.square()
            apart = ((said - expected) * shown).sum(1)
            curve[part] = (apart / (variance * shown).sum(1).sqrt()).numpy()
    return mean, curve


def measured(text: str, language: str) -> bool:
    """Whether the evidence has this post: it is neither too short nor too long."""
    parts = {span.text.casefold(): span.text for span in sentences(clean(text).text, language)}
    return BANDS.holds(width(" ".join(parts.values())))


def held_out(features: Floats, target: npt.NDArray[np.bool_], families: npt.NDArray[np.str_]) -> Floats:
    """Log-odds of every post by a regression that has not seen its family, classes weighted equally."""
    middle, spread = features.mean(0), features.std(0) + 1e-9
    scaled = (features - middle) / spread
    said = np.full(len(target), np.nan)
    for family in np.unique(families):
        rest = families != family
        if 0 < target[rest].sum() < rest.sum():
            model = LogisticRegression(class_weight="balanced").fit(scaled[rest], target[rest])
            said[~rest] = model.decision_function(scaled[~rest])
    return said


COMPARISONS = (
    ("WMT21, native against machine", "native", "machine", "wmt21"),
    ("WMT21, translation against machine", "translated", "machine", "wmt21"),
    ("elsewhere, native against machine", "native", "machine", "other"),
    ("elsewhere, translation against machine", "translated", "machine", "other"),
    ("documentation, translation against machine", "translated", "machine", "documentation"),
)


def compare(table: pd.DataFrame, values: Floats, least: int = 15) -> list[float]:
    """AUC of every comparison in one language; nan where either side has too few posts."""
    family, kind = table["testset"].to_numpy(), table["kind"].to_numpy()
    technical = np.array([is_documentation(name) for name in family])
    where = {"wmt21": family == "wmt21", "other": family != "wmt21", "documentation": technical}
    found = []
    for _, human, machine, place in COMPARISONS:
        usable = where[place] & ~np.isnan(values)
        low, high = values[usable & (kind == human)], values[usable & (kind == machine)]
        enough = min(len(low), len(high)) >= least
        found.append(
            roc_auc_score([0] * len(low) + [1] * len(high), np.r_[low, high]) if enough else float("nan")
        )
    return found


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument(
        "--evidence", type=Path, required=True, help="the --cache of scripts.training.verdict"
    )
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--posts", type=int, default=110, help="as of the evidence")
    parser.add_argument("--pairs", type=int, default=1500, help="of a language")
    parser.add_argument(
        "--steps", type=int, default=160, help=f"of training on {BATCH} lines, each of the two"
    )
    add_option(parser)
    args = parser.parse_args()
    from transformers import AutoModelForCausalLM

    store = Store()
    shipped = store.language_model("embedded", "en")
    assert shipped is not None
    folder = store.path(shipped)
    reader = Reader(folder)
    sides: tuple[Rows, Rows] = ([], [])
    for language in args.languages:
        for rows, texts in zip(
            sides, zip(*pairs(args.corpora, language, args.pairs), strict=True), strict=True
        ):
            rows += reader(texts, language)
    models = [network(AutoModelForCausalLM, folder).eval() for _ in range(3)]
    for model, rows in zip(models[1:], sides, strict=True):
        torch.manual_seed(1)
        tune(model, rows, args.steps)
    names = ["likelihood ratio", "curvature", "style and encoder", "… and ratio", "… and curvature"]
    every: dict[str, list[list[float]]] = {name: [] for name in names}
    for language in args.languages:
        table = pd.read_parquet(args.evidence / f"{language}.parquet")
        translations = made(args.corpora, store, language, args.evidence / "made")
        posts = pd.DataFrame(unseen(args.corpora, language, args.posts, translations=translations))
        posts = posts[[measured(text, language) for text in posts["text"]]]
        about = ["testset", "kind", "system", "page"]
        if posts[about].to_numpy().tolist() != table[about].to_numpy().tolist():
            raise SystemExit(
                f"{language}: the evidence is of other posts. Gather it with --posts {args.posts}."
            )
        rows = reader([clean(text).text for text in posts["text"]], language)
        _, curve = likelihoods(models[0], rows, curved=True)
        human, _ = likelihoods(models[1], rows)
        machine, _ = likelihoods(models[2], rows)
        ratio = machine - human
        target = (table["kind"] == "machine").to_numpy()
        families = table["testset"].to_numpy().astype(str)
        shown = table[["style", "machine_head"]].to_numpy(float)
        values = [ratio, curve]
        for more in ([], [ratio], [curve]):
            values.append(held_out(np.column_stack([shown, *more]), target, families))
        for name, one in zip(names, values, strict=True):
            every[name].append(compare(table, np.asarray(one, float)))
        progress(language, *(f"{value:.3f}" for value in every["likelihood ratio"][-1]))
    rows_ = [
        [name, *(f"{v:.3f}" for v in np.nanmean(np.array(found), axis=0))] for name, found in every.items()
    ]
    publish({"contrast": Table(["evidence", *(c[0] for c in COMPARISONS)], rows_)}, args.tables)


if __name__ == "__main__":
    main()
