"""A new user: wallet, RLC from another user, deposit on the hub."""

from __future__ import annotations

from sdk.project import Project

_PASSWORD = "a new user's password"
_RLC = 10**9


async def receives_and_deposits(giver: Project) -> None:
    """Create an encrypted wallet, send it RLC (and gas) from the wallet of `giver`, deposit and withdraw."""
    iexec, around = giver.iexec, giver.around
    created = await iexec.run("wallet", "create", "--keystoredir", "keys", "--password", _PASSWORD)
    address = str(created["address"])
    file_name = str(created["fileName"]).removeprefix("keys/")
    assert (giver.folder / "keys" / file_name).exists()
    newcomer = ("--keystoredir", "keys", "--wallet-file", file_name, "--password", _PASSWORD)

    sent = await iexec.run("wallet", "send-RLC", "3", "RLC", "--to", address, "--force")
    assert (sent["from"], sent["to"]) == (giver.user, address)
    if not around.native:  # the coin is RLC there, and gas is free
        await iexec.run("wallet", "send-ether", "1", "ether", "--to", address, "--force")
    shown = await iexec.run("wallet", "show", *newcomer)
    assert shown["balance"]["nRLC"] == str(3 * _RLC)
    assert shown["wallet"]["address"] == address

    deposited = await iexec.run("account", "deposit", "2", "RLC", *newcomer)
    assert deposited["amount"] == str(2 * _RLC)
    account = await iexec.run("account", "show", address)
    assert (account["balance"]["stake"], account["balance"]["locked"]) == (str(2 * _RLC), "0")
    await iexec.run("account", "withdraw", "500000000", *newcomer)  # in nRLC without a unit
    account = await iexec.run("account", "show", address)
    assert account["balance"]["stake"] == str(2 * _RLC - 500_000_000)


async def imports_and_shows(project: Project) -> None:
    """Show the imported wallet by its file and, of any wallet, the balance by its address."""
    shown = await project.iexec.run("wallet", "show")
    assert shown["wallet"]["address"] == project.user
    by_address = await project.iexec.run("wallet", "show", project.user)
    assert by_address["balance"] == shown["balance"]


async def opens_the_keystores_of_the_devnet(project: Project) -> None:
    """Open the key stores of the requester and of the pool's owner beside devnet.json with its password."""
    document = project.around.document
    for role in ("requester", "poolOwner"):
        account = document["accounts"][role]
        shown = await project.iexec.run(
            *("wallet", "show", "--show-private-key", "--keystoredir", document["sdk"]["keystore"]),
            *("--wallet-address", account["address"], "--password", document["sdk"]["password"]),
        )
        assert shown["wallet"]["privateKey"] == account["privateKey"]
