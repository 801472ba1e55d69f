"""The network of the apps: which one they join, its isolation, its check, its removal."""
