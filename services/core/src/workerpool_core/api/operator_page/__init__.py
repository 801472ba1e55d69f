"""The operator's page: HTML from templates, with one stylesheet and one script, on core's HTTP port.

Strangers see what the documented HTTP routes tell them; a signed-in operator sees the rest. Every page works without
the script, which only keeps it up to date.
"""
