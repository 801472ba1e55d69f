"""Health of what a process depends on: probed from the start on, named with variable, address and next step."""
