"""The judges of a run: deals, stake, quarantine, memory, and the host afterwards."""
