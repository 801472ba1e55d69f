"""Commands of the entry point besides running the SMS."""

import argparse
import sys
from collections.abc import Sequence

from workerpool_kit.process import EXIT_FAILED, EXIT_OK, EXIT_SETTINGS
from workerpool_kit.settings.environment import SettingsError, load

from workerpool_sms.adapters.encryption.key_file import KeyFile
from workerpool_sms.errors import KeyFileUnusable
from workerpool_sms.settings import SmsSettings

ROTATE_KEY = "rotate-key"
_DESCRIPTION = """\
Append a new key to the key file (IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH). The SMS may run meanwhile:
within seconds it encrypts new values with that key, and rewraps the keys of all stored values.
Its log event keys.counted shows when no stored value uses an older key. Old backups still need the older keys."""


def rotate_key(arguments: Sequence[str]) -> int:
    """Run `workerpool-sms rotate-key`; return the exit code of the process."""
    parser = argparse.ArgumentParser(
        prog=f"workerpool-sms {ROTATE_KEY}",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    try:
        file = KeyFile(load(SmsSettings).key_file)
        file.load()
        added = file.rotate()
    except SettingsError as error:
        return _fail(EXIT_SETTINGS, *error.problems)
    except KeyFileUnusable as problem:
        return _fail(EXIT_FAILED, str(problem))
    sys.stdout.write(f"The current key of {file.path} is {added}. Back the file up.\n")
    return EXIT_OK


def _fail(code: int, *problems: str) -> int:
    for problem in problems:
        sys.stderr.write(f"workerpool-sms {ROTATE_KEY}: {problem}\n")
    return code
