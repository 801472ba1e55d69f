"""What a PromQL expression reads: its series with their labels, and the variables that Grafana fills in."""

import re
from typing import NamedTuple

import promql_parser

_VARIABLES = {"$__rate_interval": "{window}", "$__range": "{window}", "$wallet": ".*"}
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+), (?P<label>\w+)\)")


class Selector(NamedTuple):
    """One vector selector: the name of its series, the labels that it compares, and its text."""

    name: str
    labels: frozenset[str]
    text: str


def filled_in(expression: str, window: str = "1m") -> str:
    """Return the expression with Grafana's variables replaced; a variable of time becomes `window`."""
    for variable, value in _VARIABLES.items():
        expression = expression.replace(variable, value.replace("{window}", window))
    assert "$" not in expression, f"a variable is unknown: {expression}"
    return expression


def values_of_label(query: str) -> tuple[str, str]:
    """Return selector and label of the query of a variable, `label_values(selector, label)`."""
    match = _LABEL_VALUES.fullmatch(query)
    assert match is not None, query
    return match["selector"], match["label"]


def selectors(expression: str) -> list[Selector]:
    """Return every vector selector of an expression. Raises ValueError when it is no PromQL."""
    found: list[Selector] = []

    def visit(node: promql_parser.Expr) -> None:
        if not isinstance(node, promql_parser.VectorSelector):
            return
        assert node.name is not None, f"a selector without a name: {expression}"
        labels = frozenset(matcher.name for matcher in node.matchers.matchers)
        found.append(Selector(node.name, labels, str(node)))

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def grouping_labels(expression: str) -> set[str]:
    """Return the labels by which an expression aggregates and joins."""
    found: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            found.update(node.modifier.labels)
        if isinstance(node, promql_parser.BinaryExpr) and node.modifier is not None:
            matching = node.modifier.matching
            found.update(matching.labels if matching is not None else ())

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found
