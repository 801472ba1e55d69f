package workerpool.client;

/** Signs a log challenge with the requester's wallet. */
@FunctionalInterface
public interface Signer {
    /**
     * Returns the signature of EIP-712 typed data.
     *
     * @param typedDataJson the typed data as JSON, as wallets take it ({@code eth_signTypedData_v4})
     * @return the signature, 0x-prefixed hexadecimal of 65 bytes
     */
    String sign(String typedDataJson);
}
