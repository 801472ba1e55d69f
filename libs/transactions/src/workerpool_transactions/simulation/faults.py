"""The faults of a seed: which may occur, and how often."""

from dataclasses import dataclass
from random import Random
from typing import Any

from workerpool_transactions.domain.profile import Shape


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates are per second, chances are per occasion, times in seconds. They occur until `World.faults_end`.

    * `is_exact`: no fault here excuses a call that is executed twice and reverted by its contract.
    * `lag_blocks`, `lagging`: how far a second back-end is behind, and the chance that it answers.
    * `drops`: chance that the node forgets a transaction that it accepted.
    * `lost_answers`: chance that the answer to a send is lost after the node took it.
    * `late_answers`: chance that a send is answered after up to 12 s.
    * `refused_sends`: chance that a send is not executed: busy, 429, "context deadline exceeded".
    * `pool_losses`: rate at which the node loses all that it has not mined.
    * `lies`: chance that one answer is untrue: a pending count, a null receipt, an unknown transaction.
    * `lying_windows`: rate of periods of a few seconds in which every receipt is null.
    * `outages`: rate of periods without an answer.
    * `spikes`, `spike`: rate of rises of the base fee, and by what factor; it falls to another level than before.
    * `reorganisations`, `deepest`: rate, and how many blocks at most.
    * `strangers`: rate of transactions that another program sends from the wallet.
    * `dry`: whether the wallet starts with too little, and is refilled later.
    * `crashes`: rate of kill -9; `crash_steps` also kills it after so many reads and writes of each life.
    * `storage_outages`: chance that a journal write takes some seconds.
    * `false_invalid`: chance that a send is answered as if the transaction itself were wrong.
    * `reverting`, `invalid`: chances that a call reverts, and that nodes refuse it for itself.
    """

    name: str
    is_exact: bool = True
    lag_blocks: int = 0
    lagging: float = 0.0
    drops: float = 0.0
    lost_answers: float = 0.0
    late_answers: float = 0.0
    refused_sends: float = 0.0
    pool_losses: float = 0.0
    lies: float = 0.0
    lying_windows: float = 0.0
    outages: float = 0.0
    spikes: float = 0.0
    spike: float = 1.0
    reorganisations: float = 0.0
    deepest: int = 1
    strangers: float = 0.0
    dry: bool = False
    crashes: float = 0.0
    crash_steps: int = 0
    storage_outages: float = 0.0
    false_invalid: float = 0.0
    reverting: float = 0.0
    invalid: float = 0.0


def faults_of(random: Random, shape: Shape) -> Faults:
    """Draw the faults of a seed on a chain of some shape."""
    draw = random.random()
    if draw < 0.1:
        return Faults("calm", reverting=random.choice((0.0, 0.2)), invalid=random.choice((0.0, 0.2)))
    choice = random.choice
    common: dict[str, Any] = {
        "lag_blocks": choice((0, 0, 1, 4)),
        "lagging": 0.4,
        "drops": choice((0.0, 0.1, 0.3)),
        "lost_answers": choice((0.0, 0.1, 0.3)),
        "late_answers": choice((0.0, 0.1, 0.5)),
        "refused_sends": choice((0.0, 0.1, 0.4)),
        "pool_losses": choice((0.0, 0.0, 0.03)),
        "outages": choice((0.0, 0.0, 0.02)),
        "spikes": choice((0.0, 0.03)) if shape is not Shape.FREE else 0.0,
        "spike": choice((1.5, 3.0, 6.0, 20.0)),
        "dry": shape is not Shape.FREE and random.random() < 0.15,
        "crashes": choice((0.0, 0.0, 0.03)),
        "crash_steps": choice((0, 0, 8, 40)),
        "storage_outages": choice((0.0, 0.0, 0.1)),
        "false_invalid": choice((0.0, 0.03)),
        "reverting": choice((0.0, 0.1)),
        "invalid": choice((0.0, 0.1)),
    }
    if draw < 0.5:
        return Faults("gentle", lies=choice((0.0, 0.02)), **common)
    reorganisations = choice((0.0, 0.02, 0.05))
    strangers = choice((0.0, 0.02, 0.05))
    return Faults(
        "rough",
        # A reorganisation may give back a nonce, or the success of a call, whose work was repeated meanwhile.
        is_exact=not reorganisations,
        lies=choice((0.0, 0.02, 0.1)),
        lying_windows=choice((0.0, 0.0, 0.02)),
        reorganisations=reorganisations,
        deepest=choice((1, 3, 20)),
        strangers=strangers,
        **common,
    )
