"""The plan of init: only what is missing, and what the wallets lack for it."""

from dataclasses import replace

from poolctl.domain.setup.plan import (
    CORE_WALLET,
    PASSWORDS,
    WORKER_WALLET,
    Account,
    Kind,
    State,
    Wishes,
    chain_steps,
    env_step,
    file_steps,
    policy,
    shortage,
)

NOTHING = State(frozenset(), frozenset())
OWNER = Account("0xowner", 10**18, 20 * 10**9, 0, 0)
WORKER = Account("0xworker", 10**18, 5 * 10**9, 0, 0)
FILES = State(
    frozenset(PASSWORDS), frozenset({CORE_WALLET, WORKER_WALLET}), owner=OWNER, worker=WORKER, pool="0xpool"
)
WISHES = Wishes("a pool", worker_stake_ratio=35, stake=10 * 10**9, worker_stake=10**9)


def test_a_new_folder_needs_every_password_and_both_wallets() -> None:
    steps = file_steps(NOTHING)
    assert [each.name for each in steps] == [*PASSWORDS, CORE_WALLET, WORKER_WALLET]
    assert not any(each.done for each in steps)


def test_what_exists_is_kept() -> None:
    assert all(each.done for each in file_steps(FILES))


def test_the_steps_on_chain_follow_the_requested_settings() -> None:
    steps = chain_steps(WISHES, FILES)
    assert [each.kind for each in steps] == [Kind.REGISTER, Kind.POLICY, Kind.STAKE, Kind.WORKER_STAKE]
    assert all(each.on_chain and not each.done for each in steps)
    assert [each.amount for each in steps] == [0, 0, 10 * 10**9, 10**9]


def test_a_free_pool_without_a_policy_is_only_registered() -> None:
    assert [each.kind for each in chain_steps(Wishes("a pool"), FILES)] == [Kind.REGISTER]


def test_a_second_run_finds_everything_done() -> None:
    state = replace(
        FILES,
        registered=True,
        worker_stake_ratio=35,
        scheduler_reward_ratio=1,
        owner=replace(OWNER, stake=4 * 10**9, locked=6 * 10**9),
        worker=replace(WORKER, stake=10**9),
        env_is_current=True,
    )
    assert all(each.done for each in (*chain_steps(WISHES, state), env_step(state)))


def test_only_the_missing_stake_is_deposited_and_locked_stake_counts() -> None:
    state = replace(FILES, owner=replace(OWNER, stake=3 * 10**9, locked=10**9))
    (stake,) = (each for each in chain_steps(WISHES, state) if each.kind is Kind.STAKE)
    assert stake.amount == 6 * 10**9


def test_a_request_for_one_ratio_keeps_the_other() -> None:
    assert policy(WISHES, replace(FILES, worker_stake_ratio=30, scheduler_reward_ratio=7)) == (35, 7)
    assert policy(Wishes("x", scheduler_reward_ratio=9), FILES) == (30, 9)


def test_the_env_step_names_what_is_missing() -> None:
    step = env_step(replace(FILES, missing_variables=("CHAIN_ID", "PROD_CORE_HOST")))
    assert not step.done
    assert step.what == ".env: CHAIN_ID, PROD_CORE_HOST"


def test_a_wallet_without_rlc_shows_the_missing_amount() -> None:
    state = replace(FILES, owner=replace(OWNER, nrlc=10**9))
    text = shortage(chain_steps(WISHES, state), state, free_gas=False, native=False)
    assert text == "0xowner has 1 RLC and must deposit 10 RLC: send it RLC"


def test_a_wallet_without_coins_is_reported_unless_gas_is_free() -> None:
    state = replace(FILES, owner=replace(OWNER, wei=0), worker=replace(WORKER, wei=0))
    steps = chain_steps(WISHES, state)
    text = shortage(steps, state, free_gas=False, native=False)
    assert "0xowner has 0 coins: send it coins for gas" in text
    assert "0xworker has 0 coins" in text
    assert shortage(steps, state, free_gas=True, native=False) == ""


def test_a_wallet_without_steps_needs_no_funds() -> None:
    state = replace(FILES, registered=True, owner=replace(OWNER, wei=0, nrlc=0))
    assert shortage(chain_steps(Wishes("a pool"), state), state, free_gas=False, native=False) == ""
