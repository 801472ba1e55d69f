"""Answers of IPFS gateways with status 200 that are not the content: lists of folders, and pages of their own."""

from collections.abc import Mapping

from workerpool_poco.protocol.encoding.cid import Cid, InvalidCid

from workerpool_worker.errors import DownloadFailed

_EVIDENCE = ("X-Ipfs-Path", "X-Ipfs-Roots")
"""Headers that name the content. Gateways that follow the specification send the second."""


def check_gateway_answer(headers: Mapping[str, str]) -> None:
    """Raise `DownloadFailed` for the headers of an answer that is not a file of IPFS.

    A web page counts as a file only if the answer names a content: gateways that are in trouble, and the login pages
    of networks, send pages with status 200. A wrong answer of another type is found by the checksum.
    """
    tag = headers.get("ETag", "").removeprefix("W/").strip('"')
    if tag.startswith("DirIndex-"):
        raise DownloadFailed("it is a folder and no file")
    is_page = headers.get("Content-Type", "").lstrip().lower().startswith(("text/html", "application/xhtml"))
    if is_page and not any(name in headers for name in _EVIDENCE) and not _is_content_id(tag):
        raise DownloadFailed("the gateway answered with a web page of its own")


def _is_content_id(text: str) -> bool:
    try:
        Cid.parse(text)
    except InvalidCid:
        return False
    return True
