"""Random requests with signatures that count, so that random values reach the code behind the checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from contract.fuzz.values import Values
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.eip712 import Eip712Domain
from workerpool_poco.protocol.ids import to_hex
from workerpool_sms.domain.secrets import SecretKind, SecretName, signed_hash
from workerpool_sms.errors import InvalidSecretName

_VALUES = (
    "",
    " ",
    "\n\t",
    "v",
    "x" * 4_096,
    "x" * 4_097,
    "é" * 2_048,
    "\x00",
    "a\x00b",
    "\U0001f4a9" * 1_024,
    "\u2028",
)
_NAMES = ("a", "_-", "0" * 64, "iexec-result-encryption-public-key", "iexec-result-dropbox-token")


@dataclass(frozen=True)
class SignedRequest:
    """A request as it is sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


def signed_secret(values: Values, owner: Wallet) -> SignedRequest:
    """Return a write of a secret of `owner`, whose signature is right unless no such secret can be named."""
    random = values.random
    kind = random.choice((SecretKind.WEB2, SecretKind.REQUESTER))
    key = random.choice(_NAMES) if random.random() < 0.8 else values.text()[:200]
    value = random.choice(_VALUES) if random.random() < 0.7 else values.text()[:5_000]
    try:
        signature = to_hex(
            owner.sign_message_hash(signed_hash(SecretName.parse(kind, owner.address, key), value))
        )
    except InvalidSecretName:
        signature = ""
    name = quote(key, safe="")
    path = (
        f"/secrets/web2?ownerAddress={owner.address}&secretName={name}"
        if kind is SecretKind.WEB2
        else f"/requesters/{owner.address}/secrets/{name}"
    )
    method = random.choice(("POST", "PUT", "HEAD"))
    body = None if method == "HEAD" else value.encode("utf-8", "surrogatepass")
    return SignedRequest(method, path, {"Authorization": signature, "Content-Type": "text/plain"}, body)


async def market_authorization(
    client: aiohttp.ClientSession, base: str, wallet: Wallet, chain_id: int
) -> str:
    """Answer a challenge of the market, as the SDK does; return the header."""
    url = f"{base}/challenge?chainId={chain_id}&address={wallet.address}"
    async with client.get(url) as answer:
        data = (await answer.json())["data"]
    domain = Eip712Domain(data["domain"]["name"], data["domain"]["version"], data["domain"]["chainId"])
    digest = domain.digest("Challenge(string challenge)", [data["message"]["challenge"]])
    return f"{to_hex(digest)}_{to_hex(wallet.sign_hash(digest))}_{wallet.address}"
