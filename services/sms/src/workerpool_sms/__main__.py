"""Entry point of the SMS: `workerpool-sms` or `python -m workerpool_sms`."""

import sys
from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_sms import commands
from workerpool_sms.composition import NAME, serve
from workerpool_sms.settings import SmsSettings


def main() -> NoReturn:
    """Run the SMS, or the command in the first argument."""
    if sys.argv[1:2] == [commands.ROTATE_KEY]:
        sys.exit(commands.rotate_key(sys.argv[2:]))
    run_service(
        SmsSettings,
        serve,
        name=NAME,
        about="Stores secrets that only enclaves of authorized tasks can read.\n"
        f"Further command: {NAME} {commands.ROTATE_KEY} (see its --help).",
    )


if __name__ == "__main__":
    main()
