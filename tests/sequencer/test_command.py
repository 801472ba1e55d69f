from pathlib import Path

import pytest
from workerpool_devnet.chain.anvil import Chain

from sequencer.__main__ import behaviour_of, parser
from sequencer.behaviour import MEMPOOL, SEQUENCER
from sequencer.process import ProxyProcess


def test_the_options_change_the_shape() -> None:
    assert behaviour_of(parser().parse_args([])) == SEQUENCER
    assert behaviour_of(parser().parse_args(["--shape", "free"])) == MEMPOOL
    arguments = ["--shape", "mempool", "--sequenced", "--lag-blocks", "4", "--lag-probability", "0.4"]
    changed = behaviour_of(parser().parse_args(arguments))
    assert (changed.sequenced, changed.lag_blocks, changed.lag_probability) == (True, 4, 0.4)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"lag": 1}, "no behaviour lag"),
        ({"lag_blocks": 1.5}, "lag_blocks is a int"),
        ({"sequenced": 1}, "sequenced is a bool"),
        ({"log_words": "poem"}, "log_words is one of range"),
    ],
)
def test_a_wrong_switch_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MEMPOOL.changed(changes)


def test_the_process_serves_and_is_changed_from_outside(chain: Chain, tmp_path: Path) -> None:
    with ProxyProcess(chain.port, shape="sequencer", log=tmp_path / "proxy.log") as proxy:
        proxy.change(lag_blocks=2, gap_hold_s=0.5)
        assert proxy.calls() == {"methods": {}, "statuses": {}, "sends": {}}
    assert f"{proxy.url} before {chain.url}" in (tmp_path / "proxy.log").read_text()
