"""A seeded simulation of the scheduler: chain, workers, store and network are modelled, and each can fail.

One seed determines everything that happens, so a failing seed can be replayed (`make simulate SEED=17`).
"""
