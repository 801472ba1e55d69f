"""The PoCo protocol in Python.

`protocol` holds its rules: ids, hashes, signatures, orders, statuses, consensus, deadlines, results and the contracts'
interface, without I/O and clock. `chain` reads and writes the chain: JSON-RPC, blocks, the hub, new heads,
transactions and wallet files. `result_archive` builds the archive and the digest of a result. `errors` are the errors
to handle.
"""
