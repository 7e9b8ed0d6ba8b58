"""A pair's quality for people: the figures, then what was found, each with its passages."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from checker.bitext.result import Finding, Passage, Quality
from checker.text import percent, printable


def show(quality: Quality) -> RenderableType:
    """The result on a terminal; texts are shown through ``printable`` and never parsed for styles."""
    flags = sum(segment.flagged for segment in quality.segments)
    lines = [
        Text(
            f"{flags} of {len(quality.segments)} segments flagged" if flags else "no segment flagged",
            "bold red" if flags else "bold green",
        ),
        Text(
            f"{quality.source_language.code} → {quality.target_language.code}   "
            f"adequacy {_share(quality.adequacy)}   fluency {_share(quality.fluency)}   "
            f"coverage {_share(quality.coverage)}"
        ),
    ]
    if scores := quality.reference:
        lines.append(
            Text(f"against the reference: chrF++ {scores.chrf}   BLEU {scores.bleu}   TER {scores.ter}")
        )
    for finding in quality.findings:
        lines += _finding(finding)
    lines += [Text(f"! {printable(warning.text)}", "yellow") for warning in quality.warnings]
    return Group(*lines)


def _finding(finding: Finding) -> list[Text]:
    rate = finding.human_rate
    rarity = "" if rate is None else f" (this happens in {percent(rate, 1)} of human translations)"
    sign, style = ("flag", "bold red") if finding.flag else ("hint", "yellow")
    head = Text.assemble((f"\n{sign} {finding.kind}: ", style), printable(finding.message), (rarity, "dim"))
    return [head, *_passages("source", finding.source), *_passages("target", finding.target)]


def _passages(role: str, passages: tuple[Passage, ...]) -> list[Text]:
    return [Text(f"  {role} {p.start}–{p.end}: {printable(p.text)}") for p in passages]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
