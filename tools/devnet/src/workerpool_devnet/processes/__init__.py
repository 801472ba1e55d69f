"""Operating-system processes: start, stop, ports, cleanup, MongoDB."""
