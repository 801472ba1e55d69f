"""The journal and the wallet lease in MongoDB; `documents` is the schema of every collection."""
