"""One post as HTML: the verdict, its error rate, and every sentence beside its translations.

Posts are hostile: every text is escaped, isolated from the direction of what is around it, and cut where it
is very long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checker.languages import SUPPORTED, name
from checker.pages.html import text
from checker.pages.outcomes import Row
from checker.result import Result, Sentence
from checker.verdict.advice import VERDICTS
from checker.verdict.marks import back_runs, error_rates, evidence, runs

SENTENCES, CHARACTERS, LABEL = 12, 600, 80
"""At most shown of a post, of a text of a sentence, and of an id or a name."""

STYLE = """
article { border: 1px solid #8888; border-radius: .4rem; padding: .2rem 1rem; margin: 1rem 0; }
article ol { padding-inline-start: 1.6rem; }
article li { margin: .6rem 0; }
.text { display: block; overflow-wrap: anywhere; white-space: pre-line; }
.p { display: inline-block; padding: 0 .5em; border-radius: .3em; color: #000; border: 1px solid #0005; }
.p0 { background: #a6dba0; } .p1 { background: #d9f0d3; } .p2 { background: #f7f0c0; }
.p3 { background: #fdc38d; } .p4 { background: #f4a582; }
mark { color: #000; border-radius: .2em; }
mark.m { background: #f9c0a6; font-weight: bold; }
mark.h { background: #cdebc5; }
u { text-decoration: underline dashed 2px; text-underline-offset: .2em; }
dl.trip { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .3rem 0; }
dl.trip dt { font-weight: normal; font-style: italic; }
dl.trip dd { margin: 0; }
.p, mark { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
@media print { article { border-color: #888; } article li, article h3 { break-inside: avoid; } }
""".strip()

LEGEND = (
    '<p>In the sentences: <mark class="m">a word that points to a machine</mark>, <mark class="h">a word '
    "that points to a human</mark>, <u>what the round trip did not give back</u>; in the back-translation: "
    "<u>what stands there instead</u>. The first figure of a sentence is its own probability, "
    'from <span class="p p0">0 %</span> to <span class="p p4">100 %</span>; one sentence is weaker evidence '
    "than a post.</p>"
)


def article(row: Row, result: Result, place: int) -> Iterator[str]:
    """The post as HTML.

    Args:
        row: where it is.
        result: what was said about it.
        place: its number on the page's list, from 1.
    """
    yield "<article>"
    verdict = f"{VERDICTS[result.verdict]}, {badge(result.machine_translated)}"
    yield f"<h3>{place}. {label(result.id)}: {verdict}</h3>"
    facts = [
        f"row {row.row}",
        label(row.account) if row.account is not None else "",
        f"<time>{row.day}</time>" if row.day is not None else "",
        text(name(result.language.code)) if result.language.code else "unknown language",
        "mixed languages" if result.language.mixed else "",
        f"fluency {result.fluency:.2f}" if result.fluency is not None else "",
        f"chrF++ {result.round_trip.chrf:.1f}" if result.round_trip is not None else "",
    ]
    yield f"<p>{' · '.join(filter(None, facts))}</p>"
    yield from (f"<p><strong>{_cut(rate)}</strong></p>" for rate in error_rates(result))
    if result.sentences:
        yield "<ol>"
        for sentence in result.sentences[:SENTENCES]:
            yield from _sentence(sentence, result.round_trip.pivot if result.round_trip else None)
        yield "</ol>"
        if (more := len(result.sentences) - SENTENCES) > 0:
            yield f"<p>{more} more sentences are not shown here.</p>"
    yield from _listed("Why", evidence(result))
    yield from _listed("Warnings", (warning.text for warning in result.warnings))
    yield "</article>"


def label(value: str) -> str:
    """An id or a name of the input."""
    shown = value if len(value) <= LABEL else f"{value[:LABEL]}…"
    return f'<bdi dir="auto">{text(" ".join(shown.split()))}</bdi>'


def badge(probability: float | None) -> str:
    """A probability on a colour of its own."""
    if probability is None:
        return "no probability"
    shown = (
        "over 99" if probability > 0.99 else "under 1" if probability < 0.01 else f"{100 * probability:.0f}"
    )
    return f'<span class="p p{min(int(5 * probability), 4)}">{shown} %</span>'


def _sentence(sentence: Sentence, pivot: str | None) -> Iterator[str]:
    facts = [
        badge(sentence.machine_translated),
        text(name(sentence.language)) if sentence.language else "unknown language",
        f"fluency {sentence.fluency:.2f}" if sentence.fluency is not None else "",
        f"chrF++ {sentence.chrf:.1f}" if sentence.chrf is not None else "",
        "round trip unreliable, not counted" if sentence.reliable is False else "",
    ]
    yield f"<li><div>{' · '.join(filter(None, facts))}</div>"
    yield _block(_marked(sentence), sentence.language)
    if sentence.pivot_text is not None:
        through = f"in {text(name(pivot))}" if pivot else "translated"
        yield f'<dl class="trip"><dt>{through}</dt><dd>{_block(_cut(sentence.pivot_text), pivot)}</dd>'
        if sentence.back_translation is not None:
            back = ((part, "<u>", "</u>") if other else (part, "", "") for part, other in back_runs(sentence))
            yield f"<dt>and back</dt><dd>{_block(_joined(back), sentence.language)}</dd>"
        yield "</dl>"
    yield "</li>"


def _marked(sentence: Sentence) -> str:
    marked = []
    for run in runs(sentence):
        opened, closed = ("<u>", "</u>") if run.lost else ("", "")
        if run.weight:
            points = f"{run.weight:+.2f} log-odds"
            opened += f'<mark class="{"m" if run.weight > 0 else "h"}" title="{points}">'
            closed = f"</mark>{closed}"
        marked.append((run.text, opened, closed))
    return _joined(marked)


def _joined(parts: Iterable[tuple[str, str, str]]) -> str:
    """Stretches of text with their tags, the whole cut after so many characters."""
    written, left = [], CHARACTERS
    for part, opened, closed in parts:
        if left <= 0:
            break
        written.append(f"{opened}{text(part[:left])}{closed}")
        cut = len(part) > left
        left -= len(part)
        if cut or left < 0:
            break
    return "".join(written) + (_CUT if left < 0 else "")


_CUT = " […] <small>(cut: the text is longer)</small>"


def _cut(value: str) -> str:
    return _joined([(value, "", "")])


def _block(content: str, language: str | None) -> str:
    known = language is not None and (language in SUPPORTED or re.fullmatch(r"[a-z]{2,3}", language))
    attribute = f' lang="{language}"' if known else ""
    return f'<bdi class="text" dir="auto"{attribute}>{content}</bdi>'


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    items = "".join(f"<li>{_cut(line)}</li>" for line in lines)
    if items:
        yield f"<h4>{title}</h4><ul>{items}</ul>"
