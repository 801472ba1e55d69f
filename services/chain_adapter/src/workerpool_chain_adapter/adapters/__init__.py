"""Implementations of the ports of `app`: MongoDB and the hub contract."""
