"""The findings of `poolworker check`: their codes."""

from enum import StrEnum

from workerpool_kit.text.findings import Finding, Severity, has_problem, ok, problem, skipped, warning

__all__ = ["Code", "Finding", "Severity", "has_problem", "ok", "problem", "skipped", "warning"]


class Code(StrEnum):
    """The stable names of findings, for scripts."""

    BAD_SETTING = "BAD_SETTING"
    SETTING_IGNORED = "SETTING_IGNORED"
    SECRET_EXPOSED = "SECRET_EXPOSED"
    WRONG_PASSWORD = "WRONG_PASSWORD"
    WALLET_UNUSABLE = "WALLET_UNUSABLE"
    BASE_FOLDER_UNUSABLE = "BASE_FOLDER_UNUSABLE"
    BASE_FOLDER_VOLATILE = "BASE_FOLDER_VOLATILE"
    BASE_FOLDER_UNSEEN = "BASE_FOLDER_UNSEEN"
    DISK_FULL = "DISK_FULL"
    MEMORY_LOW = "MEMORY_LOW"
    INTERNET_UNREACHABLE = "INTERNET_UNREACHABLE"
    NO_ENGINE = "NO_ENGINE"
    NO_RUNTIME = "NO_RUNTIME"
    NO_GPU = "NO_GPU"
    NETWORK_UNSAFE = "NETWORK_UNSAFE"
    CLOCK_WRONG = "CLOCK_WRONG"
    CORE_UNREACHABLE = "CORE_UNREACHABLE"
    WRONG_POOL = "WRONG_POOL"
    WRONG_VERSION = "WRONG_VERSION"
    NOT_WHITELISTED = "NOT_WHITELISTED"
    NO_WORK = "NO_WORK"
    CONFIG_SERVER_UNREACHABLE = "CONFIG_SERVER_UNREACHABLE"
    NODE_UNREACHABLE = "NODE_UNREACHABLE"
    WRONG_CHAIN = "WRONG_CHAIN"
    NO_STAKE = "NO_STAKE"
    NO_GAS = "NO_GAS"
    PROXY_UNREACHABLE = "PROXY_UNREACHABLE"
