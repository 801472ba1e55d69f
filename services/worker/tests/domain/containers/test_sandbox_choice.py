"""Which sandbox the next app joins: one that no app uses, and none more than apps run at a time."""

from typing import Any

import pytest
from workerpool_worker.domain.containers.sandbox_choice import SANDBOX_LABEL, SandboxChoice, choose_sandbox

WORKER, NETWORK = "0x" + "a1" * 20, "apps"


def sandbox(
    name: str, *, state: str = "running", worker: str = WORKER, network: str = NETWORK
) -> dict[str, Any]:
    return {
        "Id": name,
        "State": state,
        "Labels": {SANDBOX_LABEL: worker},
        "HostConfig": {"NetworkMode": network},
    }


def app(joins: str, state: str) -> dict[str, Any]:
    return {
        "Id": f"app of {joins}",
        "State": state,
        "Labels": None,
        "HostConfig": {"NetworkMode": f"container:{joins}"},
    }


@pytest.mark.parametrize(
    ("containers", "reserved", "choice"),
    [
        ([], (), SandboxChoice()),
        ([sandbox("s")], (), SandboxChoice("s")),
        ([sandbox("s", worker="another")], (), SandboxChoice()),
        ([sandbox("s")], ("s",), SandboxChoice()),
        *(
            [[sandbox("s"), app("s", state)], (), SandboxChoice()]
            for state in ("created", "running", "paused")
        ),
        *([[sandbox("s"), app("s", state)], (), SandboxChoice("s")] for state in ("exited", "dead")),
        ([sandbox("s"), app("s", "removing")], (), SandboxChoice(free_soon=True)),
        ([sandbox("s"), app("s", "removing")], ("s",), SandboxChoice()),
        ([sandbox("s"), app("s", "removing"), app("s", "running")], (), SandboxChoice()),
        ([sandbox("s"), app("s", "removing"), sandbox("t")], (), SandboxChoice("t")),
        ([sandbox("s", state="exited"), sandbox("t")], (), SandboxChoice("t", unusable=("s",))),
        ([sandbox("s", network="removed")], (), SandboxChoice(unusable=("s",))),
        ([sandbox("s", state="exited"), app("s", "removing")], (), SandboxChoice()),
    ],
)
def test_a_sandbox_is_chosen(
    containers: list[dict[str, Any]], reserved: tuple[str, ...], choice: SandboxChoice
) -> None:
    assert choose_sandbox(containers, WORKER, NETWORK, reserved) == choice
