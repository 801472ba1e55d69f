"""TLS of every port and channel of a process: certificate files, read again when they change."""
