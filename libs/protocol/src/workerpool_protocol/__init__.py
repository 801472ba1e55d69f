"""Generated stubs of every contract in protos/; made by `make protos`."""
