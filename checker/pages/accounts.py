"""Judgements on accounts as one HTML page: how sure, over how many posts, over time, and the posts to read.

The page loads nothing and runs nothing, and the same accounts give the same bytes. Its words are in
``templates/accounts.html.j2``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from pathlib import Path

from checker.account.record import Account
from checker.files import write_text
from checker.pages import html
from checker.verdict.advice import VERDICTS

SHOWN = 50
"""Accounts that are shown, those with most posts."""


@dataclass
class Collected:
    """The accounts with most posts, whatever their number."""

    count: int = 0
    shown: int = SHOWN
    _kept: list[tuple[int, int, Account]] = field(default_factory=list)

    def add(self, account: Account) -> None:
        """Keep an account, if it has more posts than others."""
        self.count += 1
        entry = (account.posts.distinct, -self.count, account)  # of equal ones, the first
        if len(self._kept) < self.shown:
            heappush(self._kept, entry)
        else:
            heappushpop(self._kept, entry)

    @property
    def accounts(self) -> list[Account]:
        """Those kept, the one with most posts first."""
        return [account for *_, account in sorted(self._kept, key=lambda entry: entry[:2], reverse=True)]


def collected(accounts: Iterable[Account], shown: int = SHOWN) -> Collected:
    """So many of the accounts: those with most posts."""
    found = Collected(shown=shown)
    for account in accounts:
        found.add(account)
    return found


def page(found: Collected) -> str:
    """The page."""
    return html.page("accounts.html.j2", accounts=found.accounts, count=found.count, titles=VERDICTS)


def accounts_page(found: Collected, output: str | Path) -> None:
    """Write the page; what ``checker accounts --html`` calls.

    Args:
        found: accounts.
        output: an ``.html`` file.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(page(found), Path(output))
