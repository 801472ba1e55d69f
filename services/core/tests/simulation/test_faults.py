"""The faults of seeds: three kinds, the gentle ones without an excuse for a failed task."""

from collections import Counter
from random import Random

from workerpool_core.simulation.faults import Faults, faults_of

EXCUSES = ("wiped_disk", "reorganisations", "failing_stage", "wrong_result", "false_report", "ignored_reveal")


def test_a_third_of_the_seeds_must_complete_every_task() -> None:
    kinds = Counter(faults_of(Random(seed)).name for seed in range(1000))
    assert set(kinds) == {"calm", "gentle", "rough"}
    assert 350 < kinds["calm"] + kinds["gentle"] < 550


def test_seeds_that_must_complete_have_no_fault_that_excuses_a_failure() -> None:
    drawn = [faults_of(Random(seed)) for seed in range(1000)]
    strict = [faults for faults in drawn if faults.must_complete]
    assert {name: getattr(faults, name) for faults in strict for name in EXCUSES} == dict.fromkeys(EXCUSES, 0)
    assert all(any(getattr(faults, name) for faults in drawn) for name in EXCUSES)


def test_a_calm_seed_has_no_fault() -> None:
    calm = next(faults for seed in range(1000) if (faults := faults_of(Random(seed))).name == "calm")
    natural = {"behaviours": calm.behaviours, "failing_app": 0.4, "error_results": calm.error_results}
    assert calm == Faults("calm", must_complete=True, **natural)  # type: ignore[arg-type]
