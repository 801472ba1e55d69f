"""Deals that no set of workers of this pool can serve, and big bags. They are free: their loss is the requester's."""

from dataclasses import replace

from workerpool_poco.protocol.ids import bytes32
from workerpool_poco.protocol.tags import TeeFramework, make_tag

from hostile.catalogue.entry import Entry, Outcome, never_served, refused, succeeds, to_file

_CATEGORY = "DEV-6S"
_DEADLINE_SECONDS = 75.0
"""Final deadline of the category (60 s) and the time until the scheduler has recorded it."""
_SCRIPT = "echo ok > /iexec_out/r"
_NEVER = never_served(seconds=_DEADLINE_SECONDS)


def _never(name: str, *, trust: int = 1, tag: bytes = bytes(32), right: Outcome = _NEVER) -> Entry:
    return Entry(
        name=name,
        script=_SCRIPT,
        computed=to_file(),
        category=_CATEGORY,
        price=0,
        trust=trust,
        tag=tag,
        right=right,
    )


ENTRIES = (
    # Each contribution adds to the weight of a worker, which brings this trust within reach in a long run.
    _never(
        "deal-trust-64",
        trust=64,
        right=replace(_NEVER, statuses=_NEVER.statuses | {"COMPLETED"}, success=True),
    ),
    _never("deal-trust-huge", trust=2**128),
    _never("deal-tag-gpu", tag=make_tag(gpu=True)),
    # No SMS serves enclaves here, which the scheduler knows before it pays for an initialization.
    *(
        _never(f"deal-tag-{tee.name.lower()}", tag=make_tag(framework=tee), right=refused("UNKNOWN_SMS"))
        for tee in TeeFramework
    ),
    _never("deal-tag-enclave-unknown", tag=bytes32("0x" + "00" * 31 + "01")),
    Entry(
        name="deal-tag-bits-unknown",
        script=_SCRIPT,
        computed=to_file(),
        price=0,
        tag=bytes32("0x" + "40" + "00" * 31),
        right=succeeds(),
    ),
    Entry(
        name="deal-bag-20",
        script=_SCRIPT,
        computed=to_file(),
        price=0,
        volume=20,
        right=succeeds(seconds=120),
    ),
)
DRY_BAG = Entry(
    name="deal-dry-bag",
    script=_SCRIPT,
    computed=to_file(),
    category=_CATEGORY,
    price=0,
    volume=1_000_000,
    right=Outcome(frozenset({"COMPLETED", "FAILED"}), success=True),
)
"""A bag that is never followed: it must only leave the others alone."""
BAG_TASK = Entry(
    name="fair-bag",
    script=f"sleep 2; {_SCRIPT}",
    computed=to_file(),
    right=succeeds(seconds=2),
)
"""One task of the big bag beside which single tasks must not wait."""
