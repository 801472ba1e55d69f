"""Secrets that the command line pushes to the pool's SMS, and what it says when one may not be set."""

from __future__ import annotations

import asyncio
import secrets

from sdk.project import Project


async def of_a_requester(project: Project) -> None:
    """Push a requester's secret once, and be refused a second time."""
    iexec, name = project.iexec, f"password-{secrets.token_hex(3)}"
    assert (await iexec.run("requester", "check-secret", name))["isSet"] is False
    pushed = await iexec.run("requester", "push-secret", name, "--secret-value", "first")
    assert (pushed["isPushed"], pushed["name"]) == (True, name)
    assert (await iexec.run("requester", "check-secret", name, project.user))["isSet"] is True
    refused = await iexec.refused("requester", "push-secret", name, "--secret-value", "second")
    assert refused == f'Secret "{name}" already exists for {project.user}'


async def of_an_app_developer(project: Project, stranger: Project) -> None:
    """Push the secret of an app as its owner; its owner may not change it, another wallet may not set it."""
    iexec = project.iexec
    refused = await stranger.iexec.refused("app", "push-secret", project.app, "--secret-value", "stolen")
    assert refused == f"Wallet {stranger.user} is not allowed to set secret for {project.app}"
    await iexec.run("app", "push-secret", project.app, "--secret-value", "of the developer")
    assert (await iexec.run("app", "check-secret", project.app))["isSecretSet"] is True
    refused = await iexec.refused("app", "push-secret", project.app, "--secret-value", "another")
    assert refused == f"Secret already exists for {project.app} and can't be updated"


async def of_a_dataset(project: Project, stranger: Project) -> None:
    """Encrypt a dataset, push its key as the owner; another wallet may not."""
    iexec = project.iexec
    (project.folder / "datasets" / "original" / "data.txt").write_text("the secret data")
    encrypted = await iexec.run("dataset", "encrypt", "--force")
    (file,) = encrypted["encryptedFiles"]
    key = ("--secret-path", file["key"])
    stolen = ("--secret-path", str(project.folder / file["key"]))
    refused = await stranger.iexec.refused("dataset", "push-secret", project.dataset, *stolen)
    assert refused == f"Wallet {stranger.user} is not allowed to set secret for {project.dataset}"
    await iexec.run("dataset", "push-secret", project.dataset, *key)
    assert (await iexec.run("dataset", "check-secret", project.dataset))["isSecretSet"] is True
    refused = await iexec.refused("dataset", "push-secret", project.dataset, *key)
    assert refused == f"Secret already exists for {project.dataset} and can't be updated"


async def of_a_beneficiary(project: Project) -> None:
    """Generate a key pair for encrypted results, push its public key, and replace it."""
    iexec = project.iexec
    await iexec.run("result", "generate-encryption-keypair", "--force")
    pushed = await iexec.run("result", "push-encryption-key")
    assert (pushed["isPushed"], pushed["isUpdated"]) == (True, False)
    assert (await iexec.run("result", "check-encryption-key", project.user))["isEncryptionKeySet"] is True
    assert "already exists" in await iexec.refused("result", "push-encryption-key")
    pushed = await iexec.run("result", "push-encryption-key", "--force-update")
    assert (pushed["isPushed"], pushed["isUpdated"]) == (True, True)


async def of_a_storage(project: Project) -> None:
    """Store the token of a result storage: Dropbox's, and before 9.0 that of the result proxy."""
    iexec = project.iexec
    initialized = await iexec.run("storage", "init", "dropbox", "--token", "of Dropbox")
    assert (initialized["isInitialized"], initialized["isUpdated"]) == (True, False)
    initialized = await iexec.run("storage", "init", "dropbox", "--token", "newer", "--force-update")
    assert (initialized["isInitialized"], initialized["isUpdated"]) == (True, True)
    assert (await iexec.run("storage", "check", "dropbox"))["isInitialized"] is True
    if not project.release.has_result_proxy:
        return
    assert (await iexec.run("storage", "init"))["isInitialized"] is True
    assert (await iexec.run("storage", "check"))["isInitialized"] is True
    assert (await iexec.run("storage", "init", "--force-update"))["isUpdated"] is True


async def of_every_kind(project: Project, stranger: Project) -> None:
    """Push secrets of every kind that the command line knows."""
    async with asyncio.TaskGroup() as group:
        for scenario in (
            of_a_requester(project),
            of_an_app_developer(project, stranger),
            of_a_dataset(project, stranger),
            of_a_beneficiary(project),
            of_a_storage(project),
        ):
            group.create_task(scenario)
