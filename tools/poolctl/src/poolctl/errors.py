"""What ends a command: an exit code, and a sentence with the cause and the next step."""

EXIT_OK, EXIT_PROBLEM, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_UNREACHABLE, EXIT_REFUSED = 0, 1, 2, 3, 4, 5
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

EXIT_CODES = {
    EXIT_OK: "done; doctor found no problem",
    EXIT_PROBLEM: "failed, or doctor found a problem",
    EXIT_USAGE: "unusable arguments or settings (one line per problem)",
    EXIT_NOT_FOUND: "no such task, worker or deal",
    EXIT_UNREACHABLE: "a service of the pool, or the node, does not answer",
    EXIT_REFUSED: "credentials are missing or wrong",
    EXIT_INTERRUPTED: "interrupted (Ctrl-C)",
}
"""The exit codes of every command, and their meanings."""


class CommandFailed(Exception):
    """A command fails. `message` names the cause, `next_step` what to do."""

    exit_code = EXIT_PROBLEM

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class UnusableSettings(CommandFailed):
    """Arguments or settings cannot be used; `message` holds one line per problem."""

    exit_code = EXIT_USAGE


class NotFound(CommandFailed):
    """The named task, worker or deal does not exist in this pool."""

    exit_code = EXIT_NOT_FOUND


class Unreachable(CommandFailed):
    """A service or a node does not answer."""

    exit_code = EXIT_UNREACHABLE


class Refused(CommandFailed):
    """A service refuses the credentials of the operator, or there are none."""

    exit_code = EXIT_REFUSED
