"""Names of files and folders that every reader of an archive can create."""

import unicodedata

from workerpool_poco.protocol.result_archive.rules import (
    MAX_FILE_NAME_CHARACTERS,
    ArchiveRules,
    FileNameTooLong,
    Rule,
    RuleBroken,
)

_SHOWN_CHARACTERS = 80


def shown(name: str) -> str:
    """Return a name as it appears in a message: quoted, escaped, shortened."""
    return ascii(name) if len(name) <= _SHOWN_CHARACTERS else ascii(name[:_SHOWN_CHARACTERS]) + "…"


def check_name(name: str, rules: ArchiveRules, *, is_file: bool, at_top: bool) -> int:
    """Check one name and return its length in bytes.

    Undecodable bytes of a name are surrogates (PEP 383). Raises `RuleBroken`.

    Args:
        name: a name without folders.
        rules: the limits.
        is_file: whether it names a file; the protocol limits these further.
        at_top: whether it lies directly in the output folder, where some readers take `C:` for a drive.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise RuleBroken(Rule.NAME, f"the name {shown(name)} is not UTF-8; rename the file") from None
    if name in ("", ".", ".."):
        raise RuleBroken(Rule.NAME, f"the name {shown(name)} is not a file name")
    if "/" in name or "\\" in name or (at_top and name.endswith(":")):
        raise RuleBroken(
            Rule.NAME, f"the name {shown(name)} has a path separator of some systems; rename the file"
        )
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise RuleBroken(Rule.NAME, f"the name {shown(name)} has a control character; rename the file")
    if length > rules.max_name_bytes:
        raise RuleBroken(
            Rule.NAME, f"the name {shown(name)} has {length} bytes; the limit is {rules.max_name_bytes}"
        )
    if is_file and len(name) > MAX_FILE_NAME_CHARACTERS:
        raise FileNameTooLong(
            f"the file name {shown(name)} has {len(name)} characters; the limit is {MAX_FILE_NAME_CHARACTERS}"
        )
    return length
