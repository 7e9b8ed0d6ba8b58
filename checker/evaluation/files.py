"""Measure the verdict on a file of labelled posts: read, score, compare with the labels, save the scores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from checker.errors import InputError
from checker.evaluation.accounts import AccountEvaluation, evaluate_accounts
from checker.evaluation.evaluate import RESAMPLES, SEED, compare, evaluate
from checker.evaluation.grouping import KEYS
from checker.evaluation.labelled import DEFAULT_LABEL, LabelledPost, read_labelled
from checker.evaluation.result import Comparison, Evaluation
from checker.evaluation.scores import Score, has_scores, joined, read_scored, read_scores, saved
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT
from checker.io.write import check_output, write
from checker.models.lock import sha256
from checker.pipeline import Checker
from checker.result import RowError
from checker.settings import Settings

OnBadRows = Callable[[Sequence[RowError]], object]
"""Called with the rows that cannot be used, before anything is scored."""

OnProgress = Callable[[int, int], object]
"""Called with the number of posts that are scored, from 0, and of all."""

_log = logging.getLogger(__name__)


def evaluate_file(
    labelled: str | Path,
    *,
    checker: Checker | None = None,
    group_by: Sequence[str] = (),
    save: str | Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    text_column: str = DEFAULT_TEXT,
    label_column: str = DEFAULT_LABEL,
    id_column: str = DEFAULT_ID,
    on_bad_rows: OnBadRows = lambda rows: None,
    on_progress: OnProgress = lambda done, total: None,
) -> Evaluation:
    """Measure the verdict on a file of labelled posts; what ``checker evaluate`` calls.

    Args:
        labelled: a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file with a text and a label per row.
            Rows that carry a verdict and a probability are not scored again.
        checker: scores the posts; by default with the embedded models.
        group_by: keys that each give a table: ``lang``, ``system``, ``testset``, ``length`` or a column.
        save: a ``.jsonl`` for the scores, without the texts.
        resamples: of the bootstrap, at least 1.
        seed: of the bootstrap.
        text_column, label_column, id_column: where these are in the file.
        on_bad_rows: called with the rows that are left out.
        on_progress: called after every post with the number of posts that are scored, and of all.

    Raises:
        InputError: the file cannot be read, has no labelled post, or none with a value for a key.
        OutputError: ``save`` cannot be written; found out before anything is scored where possible.
        CheckerError: a model cannot be loaded.
    """
    labelled, keys = Path(labelled), ["lang" if key == "language" else key for key in group_by]
    if save is not None:
        check_output(save := Path(save), labelled, [".jsonl"])
    extra = [key for key in keys if key not in KEYS]
    columns = {"text_column": text_column, "label_column": label_column, "id_column": id_column}
    pairs, left_out, settings = _pairs(labelled, checker, columns, extra, on_bad_rows, on_progress)
    posts, scores = [post for post, _ in pairs], [score for _, score in pairs]
    source = {**_identity({"": labelled}), **_conditions(settings), "left_out": left_out}
    evaluation = evaluate(posts, scores, keys, resamples=resamples, seed=seed, source=source)
    if save is not None:
        write(map(saved, posts, scores), save)
    return evaluation


def evaluate_accounts_file(
    labelled: str | Path,
    *,
    by: str,
    checker: Checker | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    text_column: str = DEFAULT_TEXT,
    label_column: str = DEFAULT_LABEL,
    id_column: str = DEFAULT_ID,
    on_bad_rows: OnBadRows = lambda rows: None,
    on_progress: OnProgress = lambda done, total: None,
) -> AccountEvaluation:
    """Measure the judgement on accounts on a file of labelled posts; what ``checker evaluate --by`` calls.

    Args:
        labelled: as for `evaluate_file`, with an account per row.
        by: the column with the account.
        checker, resamples, seed, text_column, label_column, id_column, on_bad_rows, on_progress: as for
            `evaluate_file`.

    Raises:
        InputError: as `evaluate_file`; no account has posts of one kind only.
        CheckerError: a model cannot be loaded.
    """
    columns = {"text_column": text_column, "label_column": label_column, "id_column": id_column}
    pairs, _, _ = _pairs(Path(labelled), checker, columns, [by], on_bad_rows, on_progress)
    return evaluate_accounts(pairs, by, resamples=resamples, seed=seed)


def _pairs(
    labelled: Path,
    checker: Checker | None,
    columns: Mapping[str, str],
    extra: Sequence[str],
    on_bad_rows: OnBadRows,
    on_progress: OnProgress,
) -> tuple[list[tuple[LabelledPost, Score]], int, Settings | None]:
    """Labelled posts with their scores, the number of bad rows, and how posts were scored, if it was here."""
    if has_scores(labelled, id_column=columns["id_column"]):
        _log.info("%s has scores: they are used as they are.", labelled)
        pairs, bad = read_scored(labelled, **columns, extra=extra)
        on_bad_rows(bad)
        return pairs, len(bad), None
    posts, bad = read_labelled(labelled, **columns, extra=extra)
    on_bad_rows(bad)
    checker = checker or Checker()
    scores = score_labelled(posts, checker, on_progress)
    return list(zip(posts, scores, strict=True)), len(bad), checker.settings


def compare_files(
    first: str | Path,
    second: str | Path,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    text_column: str = DEFAULT_TEXT,
    label_column: str = DEFAULT_LABEL,
    id_column: str = DEFAULT_ID,
    on_bad_rows: OnBadRows = lambda rows: None,
) -> Comparison:
    """Test whether two files of scores of the same posts differ; what ``checker evaluate --against`` calls.

    Args:
        first: labelled scores, as ``save`` of `evaluate_file` writes them.
        second: scores of the same posts, by id.
        resamples, seed, text_column, label_column, id_column, on_bad_rows: as for `evaluate_file`.

    Raises:
        InputError: a file cannot be read or has no scores; the ids are not the same; too few posts.
    """
    first, second = Path(first), Path(second)
    for path in (first, second):
        if not has_scores(path, id_column=id_column):
            raise InputError(
                f"{path} has no scores.", fix="Make them with checker evaluate LABELLED --save SCORES.jsonl."
            )
    columns = {"text_column": text_column, "label_column": label_column, "id_column": id_column}
    pairs, bad = read_scored(first, **columns)
    others, others_bad = read_scores(second, id_column=id_column)
    on_bad_rows(bad)
    on_bad_rows(others_bad)
    scores = [score for _, score in pairs]
    return compare(
        [post for post, _ in pairs],
        scores,
        joined(scores, others),
        resamples=resamples,
        seed=seed,
        source=_identity({"a_": first, "b_": second}),
    )


def score_labelled(
    posts: Sequence[LabelledPost], checker: Checker, on_progress: OnProgress = lambda done, total: None
) -> list[Score]:
    """The score of every post, in order."""
    scores: list[Score] = []
    on_progress(0, len(posts))
    results = checker.score_many((post.text for post in posts), (post.id for post in posts))
    for result in results:
        scores.append(Score.of(result))
        on_progress(len(scores), len(posts))
    return scores


def _identity(files: dict[str, Path]) -> dict[str, str | int | bool | None]:
    """Name and digest of files, by prefix."""
    found: dict[str, str | int | bool | None] = {}
    for prefix, path in files.items():
        found |= {f"{prefix}file": path.name, f"{prefix}sha256": sha256(path)}
    return found


def _conditions(settings: Settings | None) -> dict[str, str | int | bool | None]:
    """How posts were scored; of a calibration the content counts."""
    if settings is None:
        return {}
    found: dict[str, str | int | bool | None] = dict(settings.outcome)
    if settings.calibration is not None:
        found["calibration_sha256"] = sha256(settings.calibration)
    del found["calibration"]
    return found
