"""How rough a seed is: what may go wrong, and how often."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates are per second for the whole pool, chances per occasion.

    `must_complete`: nothing in here is an excuse for a task that does not COMPLETE. `lie` is a report of a transaction
    or an archive that is not there. `third_parties` initialize and claim what they like. `missing_image` is
    contributed as an error. `cursed`: one worker more than needed is there, and fails always.
    """

    name: str
    must_complete: bool
    core_crashes: float = 0.0
    cuts: float = 0.0
    longest_cut_s: float = 30.0
    worker_crashes: float = 0.0
    wiped_disk: float = 0.0
    reorganisations: float = 0.0
    outages: float = 0.0
    duplicates: float = 0.0
    slow_reads: float = 0.0
    third_parties: float = 0.0
    failing_stage: float = 0.0
    missing_image: float = 0.0
    wrong_result: float = 0.0
    lie: float = 0.0
    lazy_reveal: float = 0.0
    refused_challenge: float = 0.0
    drains: float = 0.0
    cursed: bool = False


def faults_of(random: Random) -> Faults:
    """Draw how rough a seed is."""
    draw = random.random()
    if draw < 0.1:
        return Faults("calm", must_complete=True)
    if draw < 0.45:
        return Faults(
            "gentle",
            must_complete=True,
            core_crashes=random.choice((0.0, 0.01, 0.02)),
            cuts=random.choice((0.0, 0.02, 0.05)),
            longest_cut_s=10.0,
            worker_crashes=random.choice((0.0, 0.01)),
            outages=random.choice((0.0, 0.01)),
            duplicates=random.choice((0.0, 0.3)),
            third_parties=random.choice((0.0, 0.02)),
            cursed=random.random() < 0.3,
        )
    return Faults(
        "rough",
        must_complete=False,
        core_crashes=random.choice((0.0, 0.01, 0.03)),
        cuts=random.choice((0.0, 0.02, 0.1)),
        longest_cut_s=random.choice((30.0, 200.0)),
        worker_crashes=random.choice((0.0, 0.02, 0.05)),
        wiped_disk=random.choice((0.0, 0.3)),
        reorganisations=random.choice((0.0, 0.01, 0.05)),
        outages=random.choice((0.0, 0.02)),
        duplicates=random.choice((0.0, 0.3)),
        slow_reads=random.choice((0.0, 0.3)),
        third_parties=random.choice((0.0, 0.05)),
        failing_stage=random.choice((0.0, 0.02, 0.1)),
        missing_image=random.choice((0.0, 0.0, 0.2)),
        wrong_result=random.choice((0.0, 0.2)),
        lie=random.choice((0.0, 0.2)),
        lazy_reveal=random.choice((0.0, 0.0, 0.5, 1.0)),
        refused_challenge=random.choice((0.0, 0.1)),
        drains=random.choice((0.0, 0.01)),
    )
