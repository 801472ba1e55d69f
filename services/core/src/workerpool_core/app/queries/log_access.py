"""Access of requesters to the compute logs of their tasks, by a signed challenge (EIP-712, in iExec's form)."""

import secrets
from collections.abc import Sequence

from workerpool_kit.clock import Clock
from workerpool_poco.errors import InvalidSignature
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, recover_challenge_signer
from workerpool_poco.protocol.ids import Address, TaskId, address, from_hex, to_hex

from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries.log_challenges import IssuedChallenge, LogChallenges
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.errors import BadChallenge, BadSignature, NotTheRequester


class LogAccess:
    """Log challenges, and the logs for signed ones; a challenge is used once."""

    def __init__(self, queries: TaskQueries, clock: Clock, chain_id: int) -> None:
        self._queries = queries
        self._issued = LogChallenges(clock, lambda: LogChallenge(secrets.token_urlsafe(32), chain_id))

    def challenge(self, requester: str) -> LogChallenge:
        """Return a challenge that a requester signs within an hour; see `LogChallenges.issue`."""
        return self._issued.issue(address(requester))

    async def logs(
        self, task_id: TaskId, requester: str, signature: str, wallet: str = "", *, claimed_hash: str = ""
    ) -> list[ComputeLogs]:
        """Return the logs of a task to its requester; only those of `wallet` unless it is empty.

        `claimed_hash` is the hash that the caller claims to have signed; empty means any open challenge of the
        requester. Raises BadChallenge, BadSignature, UnknownTask or NotTheRequester.
        """
        requester = address(requester)
        signed = self._signed(requester, signature, claimed_hash.lower())
        self._check_unused(signed)
        task = await self._queries.task(task_id)
        if address(task.terms.requester) != requester:
            raise NotTheRequester("only the requester of a task may read its logs")
        # Another call with the same signature may have been answered meanwhile.
        self._check_unused(signed)
        signed.used = True
        return await self._queries.logs(task_id, address(wallet) if wallet else "")

    def _signed(self, requester: Address, signature: str, claimed_hash: str) -> IssuedChallenge:
        """Return the challenge that the requester signed. Raises BadChallenge or BadSignature."""
        known: Sequence[IssuedChallenge] = self._issued.of(requester)
        if not known:
            raise BadChallenge("this address has no open log challenge; request one and sign it")
        if claimed_hash:
            known = [each for each in known if to_hex(each.challenge.hash) == claimed_hash]
            if not known:
                raise BadChallenge("the signed challenge is not open; request one and sign it")
        try:
            given = from_hex(signature)
            for each in known:
                if recover_challenge_signer(each.challenge, given) == requester:
                    return each
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(
                "the signature is malformed; send the 65 bytes of the signed challenge in hexadecimal"
            ) from error
        raise BadSignature("this address did not sign the log challenge; sign it with the requester's wallet")

    def _check_unused(self, signed: IssuedChallenge) -> None:
        if signed.used:
            raise BadChallenge("this log challenge was already used; request a new one and sign it")
