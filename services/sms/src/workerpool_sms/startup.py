"""Start-up checks of the files in the settings, and of the keys that the stored values need."""

from workerpool_kit.dependencies.report import Dependency
from workerpool_kit.logs import get_logger
from workerpool_kit.process import StartupError
from workerpool_poco.chain.rpc import without_secrets

from workerpool_sms.adapters.encryption.key_file import KeyFile
from workerpool_sms.adapters.properties_file import PropertiesUnusable, read_properties
from workerpool_sms.app.ports import SealedRows
from workerpool_sms.domain.frameworks import FrameworkProperties
from workerpool_sms.errors import KeyFileUnusable
from workerpool_sms.settings import SmsSettings

log = get_logger()

_KEY_VARIABLE = "IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH"


def node_dependency(settings: SmsSettings) -> Dependency:
    """Return the node as a dependency, with the variable that an operator corrects."""
    return Dependency(
        "chain",
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        without_secrets(settings.node_url),
        f"start the node or correct the variable; it must serve chain {settings.chain_id} (IEXEC_CHAIN_ID)",
    )


def open_properties(settings: SmsSettings) -> FrameworkProperties:
    """Return the images of the framework's versions. Raises StartupError for an unusable file."""
    try:
        return read_properties(settings.tee_properties, settings.framework)
    except PropertiesUnusable as problem:
        raise StartupError(f"WORKERPOOL_SMS_TEE_PROPERTIES: {problem}; correct the file") from problem


def open_key_file(settings: SmsSettings) -> KeyFile:
    """Return the key file, read if it exists. Raises StartupError for an exposed or malformed one."""
    file = KeyFile(settings.key_file)
    if file.exists:
        try:
            file.load()
        except KeyFileUnusable as problem:
            raise StartupError(f"{_KEY_VARIABLE}: {problem}") from problem
    return file


async def check_keys(file: KeyFile, rows: SealedRows) -> None:
    """Create a missing key file, unless stored values need the keys of a lost one. Raises StartupError."""
    used = await rows.key_ids()
    if not file.keys:
        if used:
            raise StartupError(
                f"{_KEY_VARIABLE}: {file.path} is missing, and {sum(used.values())} stored values need its keys; "
                "restore the file, or set MONGO_URI to the database of this SMS"
            )
        try:
            file.create()
        except KeyFileUnusable as problem:
            raise StartupError(f"{_KEY_VARIABLE}: {problem}") from problem
        log.info("key_file.created", path=str(file.path), key_id=file.keys[-1].key_id)
    if missing := sorted(set(used) - set(file.key_ids())):
        raise StartupError(
            f"{_KEY_VARIABLE}: {file.path} lacks the keys {', '.join(missing)}, which encrypt stored values; "
            "restore the file that has them"
        )
