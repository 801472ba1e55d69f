"""What `poolworker check` finds on a host, as decisions on measured values."""
