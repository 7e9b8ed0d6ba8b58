"""How posts of one account depend on each other, as a file: ``models/embedded/accounts.json``.

The classes are the format; ``read`` refuses a file that does not fit them and names the place.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from checker.errors import ModelCorruptedError, ModelNotFoundError
from checker.files import write_text
from checker.models import Store

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Spread(_Part):
    """The log-odds of the posts of one kind, less the middle of their language."""

    location: float = Field(description="Mean.")
    between: float = Field(ge=0, description="Standard deviation of the means of accounts.")
    within: float = Field(gt=0, description="Standard deviation of the posts of an account.")
    posts: int
    units: int = Field(description="Number of accounts: one family, page or MT system, and language each.")


class Row(_Part):
    """What holds for accounts of so many posts, or more."""

    posts: int = Field(ge=1)
    cuts: dict[str, float] = Field(
        description="Language → mean log-odds, less its middle, from which an account is called so."
    )
    human: float | None = Field(None, description="That up to which an account is called human-written.")
    spread: float | None = Field(
        None,
        description="Standard deviation of an account's posts that 1 in 100 accounts of one kind exceeds.",
    )
    groups: dict[str, int] = Field({}, description="Kind → groups that the thresholds were measured on.")
    overlap: int = Field(1, ge=1, description="Groups of one number that a post may be in.")
    flagged: dict[str, Share] = Field({}, description="Kind → share flagged, each family held out.")
    worst: Share | None = Field(
        None, description="Highest share of human groups flagged in a family held out that has 99 of them."
    )
    family: str | None = Field(None, description="That family.")


class Dependence(_Part):
    """Log-odds of an account: ``gain * effective(n) * (mean - middle)``."""

    gain: float = Field(gt=0)
    correlation: Share = Field(description="Of two posts of an account: rho of the design effect.")
    calibrated: int = Field(ge=1, description="Most posts that the probability was calibrated for.")
    middle: float = Field(description="Log-odds of a post that speaks for neither, in a language not named.")
    middles: dict[str, float] = Field(description="The same by language.")
    kinds: dict[str, Spread]
    rows: tuple[Row, ...] = Field(description="Ascending in posts.")
    ece: Share | None = Field(None, description="Expected calibration error, each family held out.")

    @model_validator(mode="after")
    def _ascending(self) -> Dependence:
        counts = [row.posts for row in self.rows]
        if counts != sorted(set(counts)):
            raise ValueError("rows must be ascending in posts")
        return self


class AccountModel(_Part):
    """The fitted judgement on accounts."""

    version: str | None = Field(None, description="Version of the package that fitted it.")
    verdict: str | None = Field(None, description="sha256 of the verdict that gave the posts' probabilities.")
    machine: Dependence
    translated: Dependence | None = None
    rudimentary: Dependence | None = None

    def write(self, path: Path) -> None:
        """Write as JSON; the same model gives the same bytes.

        Raises:
            OutputError: the file cannot be written.
        """
        write_text(self.model_dump_json(indent=1, exclude_defaults=True), path)


def read(path: Path) -> AccountModel:
    """Read a file that ``AccountModel.write`` wrote.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file; the message begins with the place.
    """
    try:
        return AccountModel.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def shipped(store: Store | None = None) -> AccountModel:
    """The model that ships.

    Args:
        store: where the embedded models are.

    Raises:
        ModelNotFoundError: it is not there.
        ModelCorruptedError: it cannot be read.
    """
    return _shipped((store or Store()).registry.parent / "embedded" / "accounts.json")


@lru_cache(maxsize=2)
def _shipped(path: Path) -> AccountModel:
    if not path.is_file():
        raise ModelNotFoundError(f"{path}, which ships with the package, is missing: install it again.")
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise ModelCorruptedError(f"{path} cannot be read ({error}). Install the package again.") from None
