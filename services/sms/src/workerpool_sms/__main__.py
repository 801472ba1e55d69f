"""Entry point of the SMS: `workerpool-sms` or `python -m workerpool_sms`."""

import sys
from typing import NoReturn

from workerpool_kit.process import run_service

from workerpool_sms import admin_commands, commands
from workerpool_sms.composition import NAME, serve
from workerpool_sms.settings import SmsSettings

COMMANDS = {
    commands.ROTATE_KEY: commands.rotate_key,
    admin_commands.SECRET_OWNERS: admin_commands.secret_owners,
    admin_commands.REMOVE_SECRETS: admin_commands.remove_secrets,
}


def main() -> NoReturn:
    """Run the SMS, or the command in the first argument."""
    if (command := COMMANDS.get("".join(sys.argv[1:2]))) is not None:
        sys.exit(command(sys.argv[2:]))
    run_service(
        SmsSettings,
        serve,
        name=NAME,
        about="Stores secrets that only enclaves of authorized tasks can read.\n"
        f"Further commands of {NAME}: {', '.join(COMMANDS)} (see the --help of each).",
    )


if __name__ == "__main__":
    main()
