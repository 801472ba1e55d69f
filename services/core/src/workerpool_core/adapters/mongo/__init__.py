"""Core's MongoDB store.

Every batch of decisions becomes one document of the `journal` collection, written with majority and journal before
anything is acknowledged (`journal`). The collections `task`, `replicate`, `worker`, `command`, `taskLogs` and `cursor`
follow within half a second, with the changes of one document merged into one operation (`changes`, `writes`). A start
replays the journal. Each document has the number of the newest entry that it contains, so a replay applies no change
twice and no batch partially.

`documents` is the schema. `records` converts between it and domain values, `snapshots` and `queries` read.
"""
