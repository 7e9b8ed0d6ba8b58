"""A post of an account: what is kept of its result to judge the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from checker.account.duplicates import Fingerprint, fingerprint
from checker.result import Result
from checker.verdict.model import logit

SHOWN = 200
"""Characters of a post that are kept to be shown."""


@dataclass(frozen=True, slots=True)
class AccountPost:
    """A post of an account.

    Attributes:
        id: of the post.
        row: 1-based number of its row in the input.
        machine: calibrated log-odds of machine translation; None for a post that was not scored and for
            one that reads like documentation.
        translated: those of a translation by anyone; None where the scores have none.
        rudimentary: those of rudimentary wording; None where the scores have none.
        language: ISO 639-1 code; None where none was identified.
        day: when it was posted, if that is known.
        text: its beginning, to be shown; None where the scores have no texts.
        print: to know it again; None where there is no text.
        calibration: name of a verdict of the user's own that gave the log-odds; None for the shipped one.
        version: of the package that scored it.
        technical: whether it reads like documentation; such a post has no log-odds.
    """

    id: str
    row: int
    machine: float | None
    translated: float | None = None
    rudimentary: float | None = None
    language: str | None = None
    day: date | None = None
    text: str | None = None
    print: Fingerprint | None = None
    calibration: str | None = None
    version: str | None = None
    technical: bool = False

    @classmethod
    def of(cls, result: Result, row: int, day: date | None = None) -> Self:
        """What is kept of a result.

        Args:
            result: of the post.
            row: 1-based number of its row in the input.
            day: when it was posted, if that is known.
        """
        text = " ".join(sentence.text for sentence in result.sentences) or None
        answers = result.machine_translated, result.translated, result.rudimentary
        if technical := result.technical:
            answers = None, None, None  # nothing that was measured holds for it
        machine, translated, rudimentary = (None if one is None else logit(one) for one in answers)
        return cls(
            id=result.id,
            row=row,
            machine=machine,
            translated=translated,
            rudimentary=rudimentary,
            language=result.language.code,
            day=day,
            text=text and text[:SHOWN],
            print=fingerprint(text) if text and machine is not None else None,
            calibration=result.models.get("calibration"),
            version=result.version,
            technical=technical,
        )
