"""What core keeps in its database, and how it survives a death at any instant.

Every batch of decisions becomes **one** document of the `journal` collection, written with majority
and journal before anything is acknowledged (`journal`). The collections that people and queries read
(`task`, `replicate`, `worker`, `command`, `taskLogs`, `cursor`) are brought up to date right behind
it, many changes of one document merged into one operation (`changes`, `writer`). After a crash the
journal is replayed; each document carries the number of the last journal entry it holds, so replay is
exact and a batch is never half there.
"""
