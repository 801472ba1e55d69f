"""Market, chain, core and journal as the use cases need them."""
