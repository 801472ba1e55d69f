"""The operator's page: HTML from templates, with one stylesheet and one script, on core's HTTP port.

Anonymous visitors see the data of the documented HTTP routes; a signed-in operator sees all. Every page works without
the script, which only refreshes it.
"""
