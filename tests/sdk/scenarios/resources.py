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
    """Deploy one app, one dataset and one workerpool, and show them; remember their addresses."""
    iexec, around = project.iexec, project.around

    name = await deploys_app(project)
    shown = await iexec.run("app", "show", project.app)
    assert shown["app"]["appName"] == name
    assert (await iexec.run("app", "count"))["count"] == "1"

    await deploys_dataset(project)
    shown = await iexec.run("dataset", "show", project.dataset)
    assert urlsplit(shown["dataset"]["datasetMultiaddr"]).path == urlsplit(around.documents[1]).path

    await iexec.run("workerpool", "init")
    description = f"pool {secrets.token_hex(4)}"
    project.edit("workerpool", description=description)
    project.workerpool = (await iexec.run("workerpool", "deploy"))["address"]
    shown = await iexec.run("workerpool", "show", project.workerpool)
    assert shown["workerpool"]["workerpoolDescription"] == description


async def deploys_app(project: Project) -> str:
    """Initialise, edit and deploy an app that runs a shell; return its name."""
    name = f"shell {secrets.token_hex(4)}"
    await project.iexec.run("app", "init")
    project.edit("app", name=name, multiaddr=project.around.image, checksum=ZERO_CHECKSUM)
    project.app = (await project.iexec.run("app", "deploy"))["address"]
    return name


async def deploys_dataset(project: Project) -> None:
    """Initialise, edit and deploy a dataset: the second of the documents."""
    await project.iexec.run("dataset", "init", "--encrypted")
    document = project.around.documents[1]
    checksum = "0x" + hashlib.sha256(content_of(document)).hexdigest()
    project.edit("dataset", name=f"document {secrets.token_hex(4)}", multiaddr=document, checksum=checksum)
    project.dataset = (await project.iexec.run("dataset", "deploy"))["address"]
