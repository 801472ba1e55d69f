"""An SMS over memory: every use case, as the composition builds it over MongoDB and a node."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workerpool_kit.clock import FakeClock
from workerpool_kit.dependencies.disk_floor import DiskFloor
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    bound_authorization_hash,
    sign_authorization,
    sms_challenge_hash,
)
from workerpool_poco.protocol.ids import Address
from workerpool_sms.adapters.enclave_keys import new_enclave_key
from workerpool_sms.adapters.encryption.envelope import Envelope
from workerpool_sms.adapters.encryption.key_file import KeyFile
from workerpool_sms.app.enclave_challenges import EnclaveChallenges
from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import SessionBackend
from workerpool_sms.app.secret_owners import SecretOwners
from workerpool_sms.app.secrets import ExistenceCache, Secrets
from workerpool_sms.app.session_challenges import SessionChallenges
from workerpool_sms.app.session_inputs import SessionInputReader
from workerpool_sms.app.sessions import Sessions
from workerpool_sms.app.unattested_sessions import UnattestedSessions
from workerpool_sms.domain.frameworks import (
    EnclaveImage,
    Framework,
    FrameworkProperties,
    ServiceProperties,
)
from workerpool_sms.domain.limits import SecretLimits
from workerpool_sms.domain.secrets import IPFS_TOKEN, SecretKind, SecretName, signed_hash
from workerpool_sms.domain.session.created import CreatedSession

from services.sms.tests.doubles.chain import DEAL_ID, NOW, OWNER, TASK_ID, WORKER, MemoryChain
from services.sms.tests.doubles.stores import (
    CountedMetrics,
    MemoryBulk,
    MemoryChallenges,
    MemoryRows,
    MemorySecrets,
    MemorySessions,
)

AUDIENCE = "https://sms.example"
MAX_SECRETS, MAX_IN_TOTAL, FLOOR_BYTES = 5, 12, 1 << 20
VERSION = ServiceProperties(
    "v5",
    EnclaveImage("pre:5", "pre-fp", "/pre", 3 << 30),
    EnclaveImage("post:5", "post-fp", "/post", 2 << 30),
    "las:5",
)


def signed(name: SecretName, value: str, wallet: Wallet) -> bytes:
    """Return a wallet's signature of a secret."""
    return wallet.sign_message_hash(signed_hash(name, value))


@dataclass
class Instance:
    """One SMS; `allow_unattested` and `framework` are its settings."""

    folder: Path
    framework: Framework = Framework.TDX
    allow_unattested: bool = True
    backend: SessionBackend | None = None
    free: int | None = 1 << 30
    """Free bytes of the disk of the store."""
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def __post_init__(self) -> None:
        self.keys = KeyFile(self.folder / "sms.key")
        self.keys.create()
        self.vault, self.gate, self.metrics = Envelope(self.keys), Gate(), CountedMetrics()
        self.chain, self.bulk = MemoryChain(), MemoryBulk()
        self.stored, self.challenges, self.kept = MemorySecrets(), MemoryChallenges(), MemorySessions()
        self.rows = MemoryRows(self.stored, self.challenges)
        self.cache = ExistenceCache(now=self.clock.now)
        self.disk = DiskFloor(self.free_bytes, FLOOR_BYTES)
        self.secrets = Secrets(
            self.stored,
            self.vault,
            self.chain,
            self.gate,
            self.metrics,
            self.cache,
            self.disk,
            limits=SecretLimits(MAX_SECRETS, MAX_IN_TOTAL),
        )
        self.owners = SecretOwners(self.stored, self.chain, self.gate, self.cache)
        self.enclave_challenges = EnclaveChallenges(
            self.challenges,
            self.vault,
            self.chain,
            self.gate,
            self.metrics,
            self.clock,
            framework=self.framework,
            new_key=new_enclave_key,
        )
        self.session_challenges = SessionChallenges(self.vault, self.clock, audience=AUDIENCE)
        self.unattested = UnattestedSessions(
            self.kept, self.vault, self.gate, self.clock, self.disk, base_url=AUDIENCE
        )
        self.properties = FrameworkProperties(self.framework, {"v5": VERSION})
        self.sessions = Sessions(
            self.chain,
            self.session_challenges,
            self.enclave_challenges,
            SessionInputReader(self.secrets, self.chain, self.bulk),
            self.backend or self.unattested,
            self.gate,
            self.clock,
            properties=self.properties,
            allow_unattested=self.allow_unattested,
        )

    async def free_bytes(self) -> int | None:
        """Return the free bytes of the disk."""
        return self.free

    async def push(
        self, kind: SecretKind, address: Address, key: str, value: str, wallet: Wallet, **more: Any
    ) -> None:
        """Store a secret that a wallet signs."""
        name = SecretName.parse(kind, address, key)
        await self.secrets.set(name, value, signed(name, value, wallet), **more)

    async def push_token(self) -> None:
        """Store the worker's token of the result proxy, which every session needs."""
        await self.push(SecretKind.WEB2, WORKER.address, IPFS_TOKEN, "worker-token", WORKER)

    async def challenge(self) -> Address:
        """Return the enclave challenge of the task, which the pool owner asks for."""
        signature = OWNER.sign_message_hash(sms_challenge_hash(TASK_ID))
        return await self.enclave_challenges.create(TASK_ID, signature)

    async def authorization(self, *, by: Wallet = OWNER, **changes: Any) -> WorkerpoolAuthorization:
        """Return the worker's authorization for the task, with its enclave challenge."""
        values = {
            "worker": WORKER.address,
            "task_id": TASK_ID,
            "deal_id": DEAL_ID,
            "task_index": 3,
            **({} if "enclave_challenge" in changes else {"enclave_challenge": await self.challenge()}),
            **changes,
        }
        return sign_authorization(by, **values)

    async def session(
        self, authorization: WorkerpoolAuthorization | None = None, *, by: Wallet = WORKER
    ) -> CreatedSession:
        """Ask for a session with a fresh challenge that a wallet signs."""
        shown = authorization or await self.authorization()
        made = self.session_challenges.create(shown.worker, shown.task_id)
        signature = by.sign_message_hash(bound_authorization_hash(shown, made.audience, made.nonce))
        return await self.sessions.create(shown, signature, audience=made.audience, nonce=made.nonce)
