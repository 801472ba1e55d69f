"""The report of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hostile.deals import BoughtDeal, cause, name

_TIMELINES = 40


@dataclass
class Report:
    """What went wrong, and the figures."""

    seed: int
    names: Mapping[str, str]
    """Wallet in lower case → name of a worker."""
    interrupted: bool = False
    """Whether the run was stopped before its end, so that it cannot have passed."""
    violations: dict[str, list[str]] = field(default_factory=dict)
    """Subject → sentences."""
    wrong_deals: list[tuple[BoughtDeal, list[str]]] = field(default_factory=list)
    _deals: list[BoughtDeal] = field(default_factory=list)
    _notes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the run came to its end and nothing went wrong."""
        return not self.interrupted and not self.wrong_deals and not any(self.violations.values())

    def judged(self, deal: BoughtDeal, problems: list[str]) -> None:
        """Add the verdict on a deal."""
        self._deals.append(deal)
        if problems:
            self.wrong_deals.append((deal, problems))

    def add(self, subject: str, problems: list[str]) -> None:
        """Add violations of one subject."""
        self.violations.setdefault(subject, []).extend(problems)

    def note(self, subject: str, lines: list[str]) -> None:
        """Add figures that are no violation."""
        self._notes[subject] = lines

    def lines(self) -> list[str]:
        """Return the whole report."""
        lines = [f"seed {self.seed}: {len(self._deals)} deals", *self._outcomes()]
        for subject, notes in self._notes.items():
            lines += [f"{subject}:", *notes]
        for subject, problems in self.violations.items():
            lines.append(f"{subject}: {'ok' if not problems else ''}".rstrip())
            lines += [f"  VIOLATION {problem}" for problem in problems]
        for deal, problems in self.wrong_deals[:_TIMELINES]:
            lines.append(f"VIOLATION deal {deal.number} {deal.entry.name}: {'; '.join(problems)}")
            lines += [f"  {line}" for line in deal.timeline(self.names)]
        if len(self.wrong_deals) > _TIMELINES:
            lines.append(f"and {len(self.wrong_deals) - _TIMELINES} more wrong deals")
        lines.append(self.summary())
        return lines

    def summary(self) -> str:
        """Return the verdict in one line."""
        honest = [deal for deal in self._deals if deal.entry.honest]
        wrong = [deal for deal, _ in self.wrong_deals]
        others = sum(len(problems) for problems in self.violations.values())
        verdict = "passed" if self.passed else "FAILED"
        if self.interrupted:
            verdict = "INTERRUPTED"
        return (
            f"{verdict}: seed {self.seed}, {len(honest)} honest deals ({sum(d.entry.honest for d in wrong)} wrong), "
            f"{len(self._deals) - len(honest)} hostile deals ({sum(not d.entry.honest for d in wrong)} wrong), "
            f"{others} other violations"
        )

    def _outcomes(self) -> list[str]:
        """Return how the deals of each entry ended."""
        counted: dict[str, Counter[str]] = {}
        seconds: dict[str, list[float]] = {}
        for deal in self._deals:
            states = counted.setdefault(deal.entry.name, Counter())
            states.update(f"{name(task)} {cause(task)}".strip() for task in deal.tasks.values())
            seconds.setdefault(deal.entry.name, []).append(deal.seconds)
        return [
            f"  {entry:<34} {max(seconds[entry]):6.1f} s at most  "
            + ", ".join(f"{count} × {state}" for state, count in states.items())
            for entry, states in sorted(counted.items())
        ]
