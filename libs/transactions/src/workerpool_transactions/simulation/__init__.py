"""A seeded simulation of one wallet's pipeline: chain, nodes, journal, caller and time are modelled, and each can fail.

One seed determines everything that happens, so a failing seed can be replayed (`make simulate-transactions SEED=17`).
"""
