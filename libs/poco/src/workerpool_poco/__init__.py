"""The PoCo protocol: ids, hashes, orders, statuses, consensus maths and a typed hub client."""
