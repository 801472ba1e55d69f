"""The journal and the wallet lease in MongoDB. `documents` is the one schema of every collection."""
