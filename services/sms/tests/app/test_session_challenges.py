"""The challenge of a session is valid here, for its worker and task, for 60 s and across a rotation of keys."""

import pytest
from workerpool_sms.errors import ChallengeInvalid, WrongAudience

from services.sms.tests.doubles.chain import NOW, OWNER, TASK_ID, WORKER
from services.sms.tests.instance import AUDIENCE, Instance


def test_a_challenge_is_valid_for_60_s(sms: Instance) -> None:
    made = sms.session_challenges.create(WORKER.address, TASK_ID)
    assert (made.audience, made.expires_at, len(made.nonce)) == (AUDIENCE, NOW + 60, 32)
    sms.keys.rotate()
    sms.session_challenges.check(WORKER.address, TASK_ID, AUDIENCE, made.nonce)
    sms.clock.advance(60)
    with pytest.raises(ChallengeInvalid, match="has expired; request a new challenge"):
        sms.session_challenges.check(WORKER.address, TASK_ID, AUDIENCE, made.nonce)


def test_another_audience_worker_or_nonce_is_refused(sms: Instance) -> None:
    made = sms.session_challenges.create(WORKER.address, TASK_ID)
    with pytest.raises(WrongAudience, match=AUDIENCE):
        sms.session_challenges.check(WORKER.address, TASK_ID, "https://other.example", made.nonce)
    for worker, nonce in ((OWNER.address, made.nonce), (WORKER.address, bytes(32))):
        with pytest.raises(ChallengeInvalid):
            sms.session_challenges.check(worker, TASK_ID, AUDIENCE, nonce)
