"""Looks for planted secrets where a service could show them: logs, metrics, answers, processes."""
