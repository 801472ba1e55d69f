"""Output folders that break a rule of result archives, or look as if they did."""

from hostile.catalogue.entry import Entry, Outcome, ends, error_result, succeeds, to_file

_RULES = (
    "RESULT_RULE_BROKEN",
    "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED",
    "POST_COMPUTE_OUT_FOLDER_ZIP_FAILED",
    "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME",
)
_SMALL_DISK = ("APP_COMPUTE_FAILED", "APP_DISK_LIMIT_EXCEEDED")
"""Causes of a file that exceeds the disk of a slot."""
_REFUSED = error_result(*_RULES)
_IN_FOLDER = "mkdir /iexec_out/o; echo x > /iexec_out/o/r; "


def _folder(name: str, script: str, right: Outcome, *, weight: float = 1.0) -> Entry:
    """Return an entry whose result is the folder `o` with a file and what the script adds."""
    return Entry(name=name, script=_IN_FOLDER + script, computed=to_file("o"), right=right, weight=weight)


ENTRIES = (
    Entry(
        name="archive-deep-path",
        script="cd /iexec_out; mkdir out; cd out; "
        "for i in $(seq 300); do mkdir aaaaaaaaaa; cd aaaaaaaaaa; done; echo x > r",
        computed=to_file("out"),
        right=_REFUSED,
        weight=3,
    ),
    Entry(
        name="archive-link-inside",
        script="mkdir /iexec_out/out; echo hi > /iexec_out/out/result.txt; ln -s result.txt /iexec_out/out/latest",
        computed=to_file("out"),
        right=succeeds(),
        weight=3,
    ),
    Entry(
        name="archive-path-is-link",
        script="echo hi > /iexec_out/a; ln -s a /iexec_out/b",
        computed=to_file("b"),
        right=succeeds(),
    ),
    Entry(
        name="archive-name-32",
        script="echo x > /iexec_out/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        computed=to_file("a" * 32),
        right=error_result("POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME"),
    ),
    Entry(
        name="archive-name-31",
        script="echo x > /iexec_out/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        computed=to_file("a" * 31),
        right=succeeds(),
    ),
    _folder("archive-link-out", "ln -s /etc /iexec_out/o/e", _REFUSED, weight=2),
    _folder("archive-link-out-relative", "ln -s ../../../../etc/passwd /iexec_out/o/e", _REFUSED),
    _folder("archive-link-out-beside", "ln -s /etc/hostname /iexec_out/e", ends(*_RULES)),
    _folder("archive-link-dangles", "ln -s nothing /iexec_out/o/e", _REFUSED),
    _folder("archive-link-loops", "ln -s e /iexec_out/o/e", _REFUSED),
    _folder("archive-link-to-parent", "ln -s .. /iexec_out/o/e", ends(*_RULES)),
    _folder("archive-link-absolute-inside", "ln -s /iexec_out/o/r /iexec_out/o/e", succeeds()),
    _folder("archive-hard-link", "ln /iexec_out/o/r /iexec_out/o/e", succeeds()),
    _folder("archive-fifo", "mkfifo /iexec_out/o/f", _REFUSED),
    _folder("archive-fifo-beside", "mkfifo /iexec_out/f", ends(*_RULES)),
    _folder("archive-unreadable", "chmod 000 /iexec_out/o/r; chmod 000 /iexec_out/o", succeeds()),
    _folder("archive-set-user-id", "chmod 4777 /iexec_out/o/r", succeeds()),
    _folder("archive-empty-folder-inside", "mkdir /iexec_out/o/empty", succeeds()),
    _folder("archive-name-newline", 'echo x > "/iexec_out/o/a\nb"', ends(*_RULES)),
    _folder("archive-name-backslash", "echo x > '/iexec_out/o/a\\b'", ends(*_RULES)),
    _folder("archive-name-not-utf-8", "echo x > /iexec_out/o/$(printf '\\377\\376')", ends(*_RULES)),
    _folder("archive-names-collide", "echo x > /iexec_out/o/A; echo y > /iexec_out/o/a", ends(*_RULES)),
    _folder(
        "archive-reserved-names", "echo x > /iexec_out/stdout.txt; mkdir /iexec_out/stderr.txt", ends(*_RULES)
    ),
    _folder(
        "archive-many-files",
        "cd /iexec_out/o; seq 25000 | xargs touch",
        error_result(*_RULES, *_SMALL_DISK, seconds=15),
    ),
    Entry(
        name="post-compute-long",
        category="DEV-60S",
        script="truncate -s 5G /iexec_out/big",
        computed=to_file("big"),
        right=error_result(*_RULES, *_SMALL_DISK),
        weight=3,
    ),
    Entry(
        name="post-compute-sparse-beside",
        category="DEV-60S",
        script="echo x > /iexec_out/r; truncate -s 1T /iexec_out/big",
        computed=to_file(),
        right=error_result(*_RULES, *_SMALL_DISK),
    ),
)
