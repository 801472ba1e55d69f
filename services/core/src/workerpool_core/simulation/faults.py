"""The faults of a seed, with their rates and probabilities."""

from dataclasses import dataclass
from random import Random

from workerpool_core.simulation.behaviours import WorkerBehaviour


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates per second for the whole pool, and probabilities per occasion.

    * `must_complete`: these faults do not explain a task that does not COMPLETE.
    * `false_report`: a report of a transaction or an archive that does not exist.
    * `third_parties`: rate of transactions that initialize and claim tasks of the pool.
    * `missing_image`: an app image that one worker cannot download, which is an error result.
    * `silent_worker`: a worker without stake takes assignments and never answers, like an attacker.
    * `behaviours`: behaviours of additional workers that are not honest.
    * `failing_app`: probability that the app of a deal fails.
    * `error_results`: whether the pool contributes such a failure; otherwise the requester is refunded.
    """

    name: str
    must_complete: bool
    core_crashes: float = 0.0
    disconnections: float = 0.0
    longest_disconnection_s: float = 30.0
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
    false_report: float = 0.0
    ignored_reveal: float = 0.0
    refused_challenge: float = 0.0
    drains: float = 0.0
    behaviours: tuple[WorkerBehaviour, ...] = ()
    failing_app: float = 0.0
    error_results: bool = True
    silent_worker: bool = False


def faults_of(random: Random) -> Faults:
    """Draw the faults of a seed."""
    draw = random.random()
    if draw < 0.1:
        return Faults(
            "calm",
            must_complete=True,
            behaviours=_behaviours(random),
            failing_app=0.4,
            error_results=random.random() < 0.8,
        )
    if draw < 0.45:
        return Faults(
            "gentle",
            must_complete=True,
            core_crashes=random.choice((0.0, 0.01, 0.02)),
            disconnections=random.choice((0.0, 0.02, 0.05)),
            longest_disconnection_s=10.0,
            worker_crashes=random.choice((0.0, 0.01)),
            outages=random.choice((0.0, 0.01)),
            duplicates=random.choice((0.0, 0.3)),
            third_parties=random.choice((0.0, 0.02)),
            behaviours=_behaviours(random),
            failing_app=0.3,
            error_results=random.random() < 0.9,
            silent_worker=random.random() < 0.3,
        )
    return Faults(
        "rough",
        must_complete=False,
        core_crashes=random.choice((0.0, 0.01, 0.03)),
        disconnections=random.choice((0.0, 0.02, 0.1)),
        longest_disconnection_s=random.choice((30.0, 200.0)),
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
        false_report=random.choice((0.0, 0.2)),
        ignored_reveal=random.choice((0.0, 0.0, 0.5, 1.0)),
        refused_challenge=random.choice((0.0, 0.1)),
        drains=random.choice((0.0, 0.01)),
        behaviours=_behaviours(random),
        failing_app=0.2,
        error_results=random.random() < 0.9,
        silent_worker=random.random() < 0.2,
    )


def _behaviours(random: Random) -> tuple[WorkerBehaviour, ...]:
    """Draw at most two workers that are not honest, with different behaviours."""
    bad = [behaviour for behaviour in WorkerBehaviour if behaviour is not WorkerBehaviour.HONEST]
    return tuple(random.sample(bad, random.choice((0, 0, 1, 2))))
