"""Implementations of the ports of `app`: MongoDB, GridFS, the hub contract, files."""
