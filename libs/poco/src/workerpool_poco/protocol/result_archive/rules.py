"""Limits of result archives and the errors for output that breaks them.

A worker checks its output before it contributes; a result proxy checks each upload again. Both use these rules, so that
what a proxy would refuse never reaches the chain.
"""

from dataclasses import dataclass
from enum import StrEnum

from workerpool_poco.protocol.results import ResultDigestError
from workerpool_poco.protocol.statuses import ReplicateStatusCause

MAX_FILE_NAME_CHARACTERS = 31
"""Longest name of a file in a result (worker spec A.8). Folders may have longer names."""

MAX_CONTENTS_BYTES = 4 << 20
"""Longest table of contents of an archive. Readers load it whole and need fifteen times as much memory."""


@dataclass(frozen=True, slots=True)
class ArchiveRules:
    """Limits of one result archive. The defaults are those of a result proxy without settings."""

    max_archive_bytes: int = 1 << 30
    """Largest archive."""
    max_unpacked_bytes: int = 4 << 30
    """Largest sum of the files' sizes. A file that links name twice counts twice."""
    max_entries: int = 20_000
    """Most files and folders together."""
    max_depth: int = 64
    """Most folders above an entry."""
    max_name_bytes: int = 255
    """Longest name of a file or folder in UTF-8."""
    max_path_bytes: int = 2_048
    """Longest path of an entry in UTF-8, relative to the output folder."""
    max_computed_bytes: int = 1 << 20
    """Largest computed.json."""
    max_computed_depth: int = 64
    """Deepest nesting of values in computed.json."""


DEFAULT_RULES = ArchiveRules()


class Rule(StrEnum):
    """The rule that an output breaks."""

    ENTRIES = "entries"
    SIZE = "size"
    DEPTH = "depth"
    NAME = "name"
    PATH_LENGTH = "path length"
    COLLISION = "collision"
    LINK = "link"
    SPECIAL_FILE = "special file"
    COMPUTED_FILE = "computed file"


class RuleBroken(ResultDigestError):
    """The output breaks `rule`. Every worker finds the same cause for equal output."""

    cause = ReplicateStatusCause.RESULT_RULE_BROKEN

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class FileNameTooLong(RuleBroken):
    """A file's name is longer than the protocol allows."""

    cause = ReplicateStatusCause.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME

    def __init__(self, message: str) -> None:
        super().__init__(Rule.NAME, message)
