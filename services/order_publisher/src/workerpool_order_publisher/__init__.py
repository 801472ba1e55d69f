"""Order publisher: keep the orders of a pool on the market, never for more tasks than the pool can serve."""
