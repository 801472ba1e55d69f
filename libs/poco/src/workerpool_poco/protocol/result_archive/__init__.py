"""Rules of result archives, shared by the worker that builds an archive and the proxy that checks it. No I/O."""
