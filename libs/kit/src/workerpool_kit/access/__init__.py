"""Authenticators and signed bearer tokens."""
