"""The use cases: what happens when the chain, a worker, a requester or the clock says something.

`engine` is the one place where events meet the scheduler; everything else feeds it or carries out
what it decided.
"""
