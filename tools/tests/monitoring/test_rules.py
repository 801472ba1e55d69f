"""The rule files: promtool accepts them, each alert fires when it should and only then, and Grafana has the same."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from alert_cases import CASES, Case
from monitoring.alert import Alert
from monitoring.alerts import ALERTS, GROUPS
from monitoring.rules import alerts_page, grafana_rules, prometheus_rules

ROOT = Path(__file__).resolve().parents[3]
PROMTOOL = ROOT / ".cache" / "prometheus" / "usr" / "bin" / "promtool"
needs_promtool = pytest.mark.skipif(
    not PROMTOOL.exists(), reason="promtool is not there: run `make prometheus` (it needs Debian's apt-get)"
)
GRAFANA_UID = 40
"""The longest uid that Grafana accepts."""


def promtool(*arguments: str) -> str:
    ended = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_every_alert_has_a_name_of_its_own_and_a_case() -> None:
    names = [alert.name for alert in ALERTS]
    assert len(set(names)) == len(names)
    assert set(CASES) == set(names)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_what_why_and_what_to_do(alert: Alert) -> None:
    for text in (alert.what, alert.why, alert.next_step):
        assert text.endswith(".")
    assert f"### {alert.name}\n" in alerts_page()


def test_grafana_evaluates_the_same_rules_and_texts_as_prometheus() -> None:
    of_prometheus = yaml.safe_load(prometheus_rules())["groups"]
    of_grafana = yaml.safe_load(grafana_rules())["groups"]
    assert (
        [group["name"] for group in of_grafana] == [group["name"] for group in of_prometheus] == list(GROUPS)
    )
    signs = {"gt": ">", "lt": "<"}
    for group, other in zip(of_prometheus, of_grafana, strict=True):
        for rule, same in zip(group["rules"], other["rules"], strict=True):
            value, threshold = (each["model"] for each in same["data"])
            evaluator = threshold["conditions"][0]["evaluator"]
            expression = f"{value['expr']} {signs[evaluator['type']]} {evaluator['params'][0]:g}"
            assert (same["title"], expression) == (rule["alert"], rule["expr"])
            assert (same["for"], same["annotations"]) == (rule.get("for", "0s"), rule["annotations"])
            assert len(same["uid"]) <= GRAFANA_UID
            assert "$" not in str(same["annotations"]), (
                "some versions of Grafana replace it by the environment"
            )


@pytest.mark.full
@needs_promtool
def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    promtool("check", "config", str(ROOT / "deploy" / "prometheus" / "prometheus.yml"))
    promtool("check", "rules", *map(str, (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml")))


@pytest.mark.full
@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(prometheus_rules())
    tests = [test for alert in ALERTS for test in _tests(alert, CASES[alert.name])]
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
    promtool("test", "rules", str(file))


@pytest.mark.full
@needs_promtool
def test_promtool_notices_an_alert_that_does_not_fire(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(prometheus_rules().replace("up < 1", "up < 0"))
    (fires, _) = _tests(ALERTS[0], CASES[ALERTS[0].name])
    file = tmp_path / "test.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [fires]})
    )
    with pytest.raises(AssertionError, match="ServiceDown"):
        promtool("test", "rules", str(file))


def _tests(alert: Alert, case: Case) -> list[dict[str, Any]]:
    labels = case.labels | {"severity": alert.severity}
    annotations = {
        "summary": _filled_in(alert.what, case.labels),
        "description": _filled_in(alert.why, case.labels),
        "next_step": _filled_in(alert.next_step, case.labels),
    }
    fired = [{"exp_labels": labels, "exp_annotations": annotations}]
    return [
        {
            "name": f"{alert.name} {name}",
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in given.items()],
            "alert_rule_test": [
                {"eval_time": f"{case.minutes}m", "alertname": alert.name, "exp_alerts": expected}
            ],
        }
        for name, given, expected in (("fires", case.fires, fired), ("rests", case.rests, []))
    ]


def _filled_in(text: str, labels: dict[str, str]) -> str:
    return text.format(**labels)
