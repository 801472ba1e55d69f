"""Use cases of the order publisher."""
