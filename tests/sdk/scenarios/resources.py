"""Deploys an app, a dataset and a workerpool of the user."""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import urlsplit
from urllib.request import urlopen

from sdk.project import Project

ZERO_CHECKSUM = "0x" + "00" * 32
"""An app may have none; a worker refuses a dataset without a checksum."""


def content_of(url: str) -> bytes:
    """Return a file of the test's own server."""
    with urlopen(url) as answer:
        content = answer.read()
        assert isinstance(content, bytes)
        return content


async def deploys(project: Project) -> None:
    """Initialise, edit, deploy and show one app, one dataset and one workerpool; remember their addresses."""
    iexec, around, unique = project.iexec, project.around, secrets.token_hex(4)

    await iexec.run("app", "init")
    project.edit("app", name=f"shell {unique}", multiaddr=around.image, checksum=ZERO_CHECKSUM)
    project.app = (await iexec.run("app", "deploy"))["address"]
    shown = await iexec.run("app", "show", project.app)
    assert shown["app"]["appName"] == f"shell {unique}"
    assert (await iexec.run("app", "count"))["count"] == "1"

    await iexec.run("dataset", "init", "--encrypted")
    document = around.documents[1]
    checksum = "0x" + hashlib.sha256(content_of(document)).hexdigest()
    project.edit("dataset", name=f"document {unique}", multiaddr=document, checksum=checksum)
    project.dataset = (await iexec.run("dataset", "deploy"))["address"]
    shown = await iexec.run("dataset", "show", project.dataset)
    assert urlsplit(shown["dataset"]["datasetMultiaddr"]).path == urlsplit(document).path

    await iexec.run("workerpool", "init")
    project.edit("workerpool", description=f"pool {unique}")
    project.workerpool = (await iexec.run("workerpool", "deploy"))["address"]
    shown = await iexec.run("workerpool", "show", project.workerpool)
    assert shown["workerpool"]["workerpoolDescription"] == f"pool {unique}"
