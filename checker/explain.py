"""A post and what was found about it, as a result: figures, reasons, warnings, advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from checker.evidence import order, style
from checker.evidence.roundtrip import SentenceRoundTrip
from checker.languages import SUPPORTED, name
from checker.loaded import LoadedModels
from checker.measure import Findings, findings
from checker.post import Post, Unit
from checker.result import Difference, Place, Question, Result, Sentence, Warning, Word
from checker.text import SHORTEST, Span, valid, words
from checker.verdict import reasons
from checker.verdict.advice import advice
from checker.verdict.headline import headline, telling
from checker.verdict.model import Judgement, combine, decide, measured, question
from checker.version import __version__

SHOWN_WORDS = 5  # words per sentence that are shown for its style


class Part(NamedTuple):
    """The sentences of a post that are in one language.

    Attributes:
        language: ISO 639-1 code.
        units: the sentences.
        found: what they give as one post.
        judgement: was it translated by a machine? None for a language that no verdict was fitted for.
        translated: was it translated at all? None where that was not fitted.
        rudimentary: is its wording rudimentary? None where that was not fitted.
    """

    language: str
    units: Sequence[Unit]
    found: Findings
    judgement: Judgement | None
    translated: Judgement | None = None
    rudimentary: Judgement | None = None

    @property
    def answers(self) -> list[Judgement]:
        """Those that there are."""
        return [one for one in (self.judgement, self.translated, self.rudimentary) if one is not None]


def judge(
    models: LoadedModels, language: str, found: Findings, asked: Question = "machine_translated"
) -> Judgement | None:
    """Answer a question by the evidence of those models only that the verdict was calibrated with."""
    evidence = found.evidence.without(models.outdated(language, asked))
    return models.verdict(language, asked).judge(language, evidence, asked)


def explain(post: Post, parts: Sequence[Part], models: LoadedModels) -> Result:
    """The result of a post.

    Args:
        post: as prepared.
        parts: its sentences by language, the language with most text first; none if it is not scored.
        models: those that it was scored with.
    """
    if parts:
        result = _scored(post, parts, models)
    else:
        result = Result(
            id=post.id, verdict="not_scored", language=post.language, columns=post.columns,
            sentences=tuple(_bare(post, unit) for unit in post.units),
            warnings=tuple(post.warnings), models={"profile": models.profile}, version=__version__,
        )  # fmt: skip
    return result.model_copy(update={"headline": headline(result), "advice": advice(result)})


def _scored(post: Post, parts: Sequence[Part], models: LoadedModels) -> Result:
    judged = [(part, part.judgement) for part in parts if part.judgement is not None]
    whole = combine([(p.found.evidence.columns, judgement) for p, judgement in judged])
    translated = _whole(parts, [part.translated for part in parts])
    rudimentary = _whole(parts, [part.rudimentary for part in parts])
    alarms = tuple(alarm for part in parts for answer in part.answers for alarm in answer.alarms)
    verdict = decide(whole, translated, rudimentary)
    withheld = any(judgement.withheld for _, judgement in judged)
    told = telling(verdict, alarms, withheld=withheld)
    evidence, trip, percentile = parts[0].found[:3]
    code = parts[0].language
    warnings = [*post.warnings, *(w for part, _ in judged for w in _warnings(part, models))]
    prefixes = [f"{name(part.language)} part: " if post.language.mixed else "" for part, _ in judged]
    sentences = [
        _sentence(post, unit, models) if unit.language in SUPPORTED else _bare(post, unit)
        for unit in post.units
    ]
    return Result(
        id=post.id,
        verdict=verdict,
        machine_translated=whole.probability if whole else None,
        translated=translated.probability if translated else None,
        rudimentary=rudimentary.probability if rudimentary else None,
        false_alarm_rate=alarms,
        fluency=percentile,
        language=post.language,
        columns=evidence.columns,
        round_trip=trip,
        style=round(models.verdict(code).style(code, evidence)[0], 4),
        sentences=tuple(sentences),
        thresholds=tuple(
            measured(part.language, part.found.evidence.columns, answer.threshold, question(answer.variant))
            for part in parts
            for answer in part.answers
            if answer.threshold is not None
        ),
        reasons=tuple(
            reason.model_copy(update={"text": prefix + reason.text})
            for prefix, (part, judgement) in zip(prefixes, judged, strict=True)
            for reason in reasons.reasons(
                part.language,
                judgement,
                {"rudimentary": part.rudimentary, "translated": part.translated},
                models.verdict(part.language),
                *part.found[:3],
                told,
            )
        ),
        warnings=tuple(dict.fromkeys(warnings)),
        models={"profile": models.profile} | models.used(code),
        version=__version__,
    )


def _whole(parts: Sequence[Part], answers: Sequence[Judgement | None]) -> Judgement | None:
    """The answers on the parts of a post as one; None where one is missing."""
    known = [
        (part.found.evidence.columns, answer)
        for part, answer in zip(parts, answers, strict=True)
        if answer is not None
    ]
    return combine(known) if len(known) == len(parts) else None


def _bare(post: Post, unit: Unit) -> Sentence:
    """A sentence that the models have not run over."""
    start, end = post.cleaned.span(unit.span.start, unit.span.end)
    text = valid(post.cleaned.source[start:end])
    return Sentence(text=text, start=start, end=end, language=unit.language)


def _sentence(post: Post, unit: Unit, models: LoadedModels) -> Sentence:
    """A sentence with its evidence, as a post of its own."""
    language, read = unit.language, unit.style
    assert language is not None  # it is scored
    assert read is not None  # the models have run over it
    found = findings(models, language, [unit])
    log_odds, slope = models.verdict(language).style(language, found.evidence)
    long_enough = unit.columns >= SHORTEST
    judgement = judge(models, language, found) if long_enough else None
    rudimentary = judge(models, language, found, "rudimentary") if long_enough else None

    def located(first: int, last: int) -> dict[str, int]:
        """Offsets of a span of the sentence in the text as given."""
        begin, stop = post.cleaned.span(unit.span.start + first, unit.span.start + last)
        return {"start": begin, "end": stop if first < last else begin}

    trip = unit.trip
    return _bare(post, unit).model_copy(
        update={
            "machine_translated": judgement.probability if judgement else None,
            "rudimentary": rudimentary.probability if rudimentary else None,
            "fluency": None if unit.rank is None else round(unit.rank.percentile, 4),
            "perplexity": None if unit.perplexity is None else round(unit.perplexity, 2),
            "style": round(log_odds, 4),
            "words": tuple(
                Word(**located(span.start, span.end), weight=round(weight * slope, 4))
                for span, weight in _telling_words(unit.span.text, read)
            ),
            "broken": tuple(
                Place(**located(first, last))
                for first, last in order.broken(
                    unit.span.text, unit.order, models.percentiles.broken.get(language)
                )
            ),
        }
        | ({"pivot": models.pivot(language), "grade": models.grade(language)} | _shown(trip) if trip else {})
        | {
            "differences": tuple(
                Difference(
                    **located(change.start, change.end),
                    back_translation=trip.back_translation[change.back_start : change.back_end],
                    back_start=change.back_start,
                    back_end=change.back_end,
                )
                for change in (trip.changes if trip else ())
                if trip
            )
        }
    )


def _shown(trip: SentenceRoundTrip) -> dict[str, object]:
    """The figures of a round trip that a sentence has under the same names."""
    shown = ("pivot_text", "back_translation", "chrf", "bleu", "ter", "log_likelihood", "gap", "reliable")
    return {field: getattr(trip, field) for field in shown}


def _telling_words(text: str, read: style.StyleReading) -> list[tuple[Span, float]]:
    """The words with the largest shares of the style log-odds, in text order."""
    spans = words(text)
    weights = style.word_weights(read.shares, [(s.start, s.end) for s in spans])
    largest = sorted(range(len(spans)), key=lambda n: -abs(weights[n]))[:SHOWN_WORDS]
    return [(spans[n], weights[n]) for n in sorted(largest)]


def _warnings(part: Part, models: LoadedModels) -> list[Warning]:
    """What limits the verdict on one part of a post."""
    language, units = part.language, part.units
    named, found = name(language), []
    if part.judgement is not None and part.judgement.technical:
        found.append(
            Warning(
                code="technical",
                text=f"The {named} text reads like documentation or instructions: it is not called "
                "machine-translated, and it does not count for its account.",
            )
        )
    if models.settings.round_trip and not any(unit.trip for unit in units):
        found.append(
            Warning(
                code="no_translator",
                text=f"No {models.profile} translator serves {named} and {name(models.pivot(language))}: "
                "there is no round trip.",
            )
        )
    lost = sum(1 for unit in units if unit.trip is not None and not unit.trip.reliable)
    if lost:
        found.append(
            Warning(
                code="round_trip_unreliable",
                text=f"The round trip of {lost} of {len(units)} {named} sentences is unreliable and does not "
                "count.",
            )
        )
    outdated = models.outdated(language)
    for task, label in models.used(language).items():
        if task in outdated:
            found.append(
                Warning(
                    code="uncalibrated",
                    text=f"The verdict was not calibrated with {label}: its {task} evidence is shown, not "
                    "counted.",
                )
            )
    own = models.calibration
    if own and own is not models.verdict(language):
        why = "was fitted with another style model" if own.models(language) else f"does not cover {named}"
        found.append(
            Warning(
                code="calibration_unused",
                text=f"Your calibration {own.label} {why}: {named} is judged by the built-in one.",
            )
        )
    fitted = models.verdict(language).calibration.languages.get(language)
    counted = part.judgement is not None and "round_trip" in part.judgement.variant
    if counted and fitted and fitted.posts and "machine" not in fitted.posts:
        found.append(
            Warning(
                code="no_machine_text",
                text=f"No machine-translated {named} text was available: the probability is an estimate, and "
                "how much is missed is not known. The threshold was measured on human posts.",
            )
        )
    threshold = part.judgement.threshold if part.judgement else None
    if threshold and threshold.negatives != "native":
        found.append(
            Warning(
                code="measured_on_translations",
                text=f"No native {named} text was available, so the error rates were measured on human "
                "translations.",
            )
        )
    return found
