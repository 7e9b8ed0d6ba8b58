"""The target against a reference translation: chrF++, BLEU and TER by sacrebleu, segment by segment.

The two are aligned first, as Matusov et al. (2005) do where the segments differ: an n-gram that is right
counts only where it belongs.
"""

from __future__ import annotations

from checker.bitext.alignment import align
from checker.bitext.document import Text
from checker.bitext.result import ReferenceScores, ReferenceSegment
from checker.evidence.metrics import head, metrics, signatures


def chrf(text: str, reference: str) -> float:
    """chrF++ of one text against another, 0 to 100."""
    return round(float(metrics("en")[0][0].sentence_score(text, [reference]).score), 2)


def compare(target: Text, reference: Text) -> ReferenceScores:
    """Score the target; TER reads the first words of a segment, as in the round trip."""
    language = target.code
    measures, _ = metrics(language)
    beads = align([s.text for s in target.sentences], [s.text for s in reference.sentences])
    pairs = [
        (
            target.join(bead.source_start, bead.source_stop),
            reference.join(bead.target_start, bead.target_stop),
        )
        for bead in beads
    ]
    texts = [(ours.text if ours else "", theirs.text if theirs else "") for ours, theirs in pairs]
    heads = [(head(ours, language), head(theirs, language)) for ours, theirs in texts]
    read = (texts, texts, heads)  # what each metric reads

    segments = []
    for number, (ours, theirs) in enumerate(pairs):
        scores = [
            round(float(metric.sentence_score(rows[number][0], [rows[number][1]]).score), 2)
            for metric, rows in zip(measures, read, strict=True)
        ]
        segments.append(
            ReferenceSegment(
                target=target.passage(ours.start, ours.end) if ours else None,
                reference=reference.passage(theirs.start, theirs.end) if theirs else None,
                chrf=scores[0],
                bleu=scores[1],
                ter=scores[2],
            )
        )
    overall = [
        round(float(metric.corpus_score([hyp for hyp, _ in rows], [[ref for _, ref in rows]]).score), 2)
        for metric, rows in zip(measures, read, strict=True)
    ]
    return ReferenceScores(
        chrf=overall[0], bleu=overall[1], ter=overall[2], signature=signatures(language),
        segments=tuple(segments),
    )  # fmt: skip
