"""A seeded simulation of the scheduler with models of chain, workers, store and network, each of which can fail.

A seed determines the whole run, so a failing seed can be replayed (`make simulate SEED=17`).
"""
