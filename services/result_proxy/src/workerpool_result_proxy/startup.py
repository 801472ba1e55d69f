"""Start-up checks of the folder for temporary files; `HubView.watch` checks the chain while the proxy runs."""

from workerpool_kit.dependencies.report import Dependency
from workerpool_kit.process import StartupError
from workerpool_poco.chain.rpc import without_secrets

from workerpool_result_proxy.adapters.files.threads import FileThreads
from workerpool_result_proxy.adapters.files.workspace import TemporaryFolder
from workerpool_result_proxy.settings import ResultProxySettings


def node_dependency(settings: ResultProxySettings) -> Dependency:
    """Return the node as a dependency, with the variable that an operator corrects."""
    return Dependency(
        "chain",
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        without_secrets(settings.node_url),
        f"start the node or correct the variable; it must serve chain {settings.chain_id} (IEXEC_CHAIN_ID)",
    )


def open_workspace(settings: ResultProxySettings, threads: FileThreads) -> tuple[TemporaryFolder, list[str]]:
    """Create the folder for temporary files; return it, and the owners of the removed folders of dead processes.


    Raises StartupError when it is not writable.
    """
    workspace = TemporaryFolder(settings.upload_folder, threads, settings.archive_rules)
    try:
        dead = workspace.open()
    except OSError as error:
        raise StartupError(
            f"cannot write to {settings.upload_folder} ({error.strerror}); "
            "set IEXEC_RESULT_PROXY_TEMP_DIR to another folder"
        ) from error
    return workspace, dead


def ipfs_dependency(url: str) -> Dependency:
    """Return the IPFS node as a dependency, with the variable that an operator corrects."""
    return Dependency(
        "ipfs",
        "IEXEC_IPFS_URL",
        without_secrets(url),
        "start the Kubo node, or correct the variable; the proxy then resumes",
    )
