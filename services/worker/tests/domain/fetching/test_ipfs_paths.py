"""Paths on IPFS: every spelling of the market means one content, and any other text is refused or no IPFS path."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.encoding import multibase
from workerpool_poco.protocol.encoding.cid import DAG_PB, LIBP2P_KEY, RAW, SHA2_256, Cid
from workerpool_worker.domain.fetching.ipfs_paths import IpfsPath, ipfs_path_of, parse_ipfs_path
from workerpool_worker.domain.fetching.urls import InvalidUrl, parse_url

V0 = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
V1 = "bafybeie5nqv6kd3qnfjupgvz34woh3oksc3iau6abmyajn7qvtf6d2ho34"
RAW_ID = str(Cid(RAW, SHA2_256, bytes(range(32))))
BASE36 = multibase.encode(Cid.parse(V1).encode(), "k")
BASE58 = multibase.encode(Cid.parse(V1).encode(), "z")
KEY = multibase.encode(Cid(LIBP2P_KEY, SHA2_256, bytes(32)).encode(), "k")

CIDS = st.builds(
    Cid, st.sampled_from([RAW, DAG_PB, 0x71]), st.just(SHA2_256), st.binary(min_size=32, max_size=32)
)
FORMS = (
    "/ipfs/{}",
    "/p2p/{}",
    "ipfs://{}",
    "ipfs://ipfs/{}",
    "ipfs:/ipfs/{}",
    "ipfs:{}",
    "IPFS://{}",
    "dweb:/ipfs/{}",
    "fs:/ipfs/{}",
    "{}",
)
NAMES = st.text(string.ascii_letters + string.digits + "_- é", min_size=1, max_size=12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("spelling", "meant"),
    [(V0, V0), (V1, V1), (V1.upper(), V1), (BASE36, V1), (BASE58, V1), (RAW_ID, RAW_ID)],
    ids=["CIDv0", "CIDv1", "upper case", "base36", "base58", "raw codec"],
)
def test_every_spelling_means_one_content(form: str, spelling: str, meant: str) -> None:
    path = parse_ipfs_path(form.format(spelling))
    assert path is not None
    assert str(path) == f"/ipfs/{meant}"
    assert path.sha256 == ("0x" + bytes(range(32)).hex() if meant == RAW_ID else "")
    below = parse_ipfs_path(form.format(spelling) + "/a folder/%20é.csv/")
    assert below is not None
    assert str(below) == f"/ipfs/{meant}/a folder/%20é.csv"
    assert below.sha256 == ""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/ipns/docs.ipfs.tech/a", "/ipns/docs.ipfs.tech/a"),
        ("ipns://docs.ipfs.tech", "/ipns/docs.ipfs.tech"),
        ("ipfs://ipns/docs.ipfs.tech", "/ipns/docs.ipfs.tech"),
        (f"/ipns/{KEY}/x", f"/ipns/{KEY}/x"),
        ("/ipns/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA", None),
    ],
)
def test_names_are_tried_at_gateways(text: str, meant: str | None) -> None:
    """A name leads to a content that changes, like any URL. Gateways that do not resolve it answer with an error."""
    assert str(parse_ipfs_path(text)) == (meant or text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://files.test/x",
        "/etc/passwd",
        "/ip4/127.0.0.1/tcp/80",
        "//evil.test/ipfs/" + V0,
        "dweb:/x",
        "ftp://ipfs/" + V0,
        "Qm1",
        "files/x",
        " " + V0,
        V0[:-1],
    ],
)
def test_another_text_is_no_ipfs_path(text: str) -> None:
    assert parse_ipfs_path(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    {
        "/ipfs/": "names no content id",
        "/ipfs//x": "names no content id",
        "/ipfs/Qm1": "names no content id",
        "/ipfs/../api/v0/shutdown": "leads out",
        f"/ipfs/{V0}/../../api/v0/shutdown": "leads out",
        f"/ipfs/{V0}/%2e%2e/%2e%2e/api/v0/shutdown": "leads out",
        f"/ipfs/{V0}/%252e%252e/api": "leads out",
        f"/ipfs/{V0}/..%2fapi": "leads out",
        f"/ipfs/{V0}/..%5capi": "leads out",
        f"/ipfs/{V0}\\..\\api": "unusable characters",
        f"/ipfs/{V0}/a\\b": "unusable characters",
        f"/ipfs/{V0}/a\nb": "unusable characters",
        f"/ipfs/{V0}/a\tb": "unusable characters",
        f"/ipfs/{V0}/a\u2028b": "unusable characters",
        f"/ipfs/{V0}/a\ud800b": "unusable characters",
        f"/ipfs/{V0}?x=1": "query or a fragment",
        f"/ipfs/{V0}#x": "query or a fragment",
        "/ipfs/@evil.test/x": "names no content id",
        f"/ipfs/{V0}@evil.test/x": "names no content id",
        f"/ipfs/{V0.lower()}": "names no content id",
        f"ipfs://{V0.lower()}": "names no content id",
        "ipfs://": "names no content id",
        "ipfs://user:secret@" + V0: "names no content id",
        f"/ipfs/{KEY}": "begins with /ipns/",
        "/ipns/": "malformed name",
        "/ipns/../x": "leads out",
        "/ipns/-x": "malformed name",
        "/ipns/a b": "malformed name",
        f"/ipfs/{V0}/" + "a" * 3_000: "more than 2000",
    }.items(),
    ids=lambda value: ascii(value)[:50],
)
def test_a_malformed_path_is_refused(text: str, reason: str) -> None:
    """A path that leaves its content would reach other parts of an operator's gateway."""
    with pytest.raises(InvalidUrl, match=reason) as refused:
        parse_ipfs_path(text)
    assert "secret" not in str(refused.value)
    assert str(refused.value).isprintable()


@given(CIDS, st.sampled_from(FORMS), st.sampled_from(multibase.PREFIXES), st.lists(NAMES, max_size=3))
def test_every_spelling_is_parsed_back_to_the_path(
    cid: Cid, form: str, prefix: str, names: list[str]
) -> None:
    below = "".join(f"/{name}" for name in names)
    path = parse_ipfs_path(form.format(multibase.encode(cid.encode(), prefix)) + below)
    assert path == IpfsPath(str(cid), below, cid)
    assert parse_ipfs_path(str(path)) == path
    assert parse_url(f"https://gateway.test{path}").host == "gateway.test"


@given(
    st.sampled_from(["", "/ipfs/", "ipfs://", "/ipns/", f"/ipfs/{V0}", f"/ipfs/{V0}/"]),
    st.text(max_size=30) | st.text("ab/.%2eE?#\\", max_size=10),
)
def test_any_text_is_a_path_or_none_or_refused(before: str, text: str) -> None:
    try:
        path = parse_ipfs_path(before + text)
    except InvalidUrl as refused:
        message = str(refused)
    else:
        if path is None:
            return
        assert parse_ipfs_path(str(path)) == path
        message = str(parse_url(f"https://gateway.test{path}"))
    assert message.isprintable()


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        (f"https://gw.test/ipfs/{V0}/a%20b", f"/ipfs/{V0}/a%20b"),
        (f"http://gw.test:8080/ipfs/{V1}?filename=x.csv", f"/ipfs/{V1}"),
        (f"https://{V1}.ipfs.gw.test/x", f"/ipfs/{V1}/x"),
        (f"https://{BASE36}.ipfs.gw.test", f"/ipfs/{V1}"),
        ("https://gw.test/ipns/docs.ipfs.tech", "/ipns/docs.ipfs.tech"),
        (f"https://gw.test/ipfs/{V0}?format=car", None),
        (f"https://gw.test/ipfs/{V0}?x=1&format=raw", None),
        (f"https://gw.test/files/ipfs/{V0}", None),
        ("https://gw.test/ipfs/Qm1", None),
        (f"https://gw.test/ipfs/{V0}/../x", None),
        ("https://docs.ipfs.gw.test/x", None),
        (f"https://{V1}.ipfs.", None),
        ("https://gw.test/x", None),
    ],
)
def test_urls_of_gateways_name_a_content(url: str, meant: str | None) -> None:
    path = ipfs_path_of(parse_url(url))
    assert (None if path is None else str(path)) == meant


@given(st.text().map("https://gw.test/ipfs/".__add__) | st.text().map("https://gw.test/".__add__))
def test_any_url_names_a_content_or_none(text: str) -> None:
    try:
        url = parse_url(text)
    except InvalidUrl:
        return
    path = ipfs_path_of(url)
    assert path is None or parse_ipfs_path(str(path)) == path


def test_a_multihash_that_equals_the_checksum_means_a_raw_block() -> None:
    """Contracts hold a multihash without its codec, so `/ipfs/bafkrei…` comes back as `/ipfs/Qm…`."""
    digest = bytes(range(32))
    path = parse_ipfs_path(f"/ipfs/{Cid(DAG_PB, SHA2_256, digest, version=0)}")
    assert path is not None
    assert str(path.as_block_of("0x" + digest.hex())) == f"/ipfs/{RAW_ID}"
    assert path.as_block_of("0x" + "11" * 32) == path
    assert path.as_block_of("") == path
    below = parse_ipfs_path(f"{path}/x")
    assert below is not None
    assert below.as_block_of("0x" + digest.hex()) == below
