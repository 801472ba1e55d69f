"""A JSON-RPC proxy before anvil that behaves like an Arbitrum node, and a second one like a bad provider.

`cd tests && python -m sequencer --help`
"""
