"""Tasks, kills and bad nodes on each shape of chain: mempool, sequencer, free gas."""
