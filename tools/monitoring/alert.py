"""One alert: a value, its limit, and the text for the operator."""

import re
from typing import Literal, NamedTuple

_FIELD = re.compile(r"\{(\w+)\}")


class Alert(NamedTuple):
    """Fires for each series of `value` that stays beyond `limit` for `lasts`.

    `what`, `why` and `next_step` are sentences; `{label}` in them inserts a label of the series.
    """

    name: str
    value: str
    beyond: Literal[">", "<"]
    limit: float
    lasts: str
    severity: Literal["warning", "critical"]
    what: str
    why: str
    next_step: str

    @property
    def expression(self) -> str:
        """The expression that has a series while the limit is exceeded."""
        return f"{self.value} {self.beyond} {self.limit:g}"

    @property
    def labels(self) -> set[str]:
        """The labels that the texts name."""
        return set(_FIELD.findall(f"{self.what} {self.why} {self.next_step}"))

    def templated(self, text: str) -> str:
        """Return one of the texts as Prometheus and Grafana fill it in."""
        # `.Labels` and not `$labels`: some versions of Grafana replace `$…` in provisioned files by the environment.
        return _FIELD.sub(r"{{ .Labels.\1 }}", text)

    def plain(self, text: str) -> str:
        """Return one of the texts for a document."""
        return _FIELD.sub(r"\1", text)
