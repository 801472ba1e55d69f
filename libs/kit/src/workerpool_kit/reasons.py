"""Reasons (`google.rpc.ErrorInfo.reason`) that one service sends and another one handles.

A reason that only its sender uses is in that service's `errors.py`.
"""

INVALID_ARGUMENT = "INVALID_ARGUMENT"
"""The request breaks a rule of its schema."""

FOREIGN_REPLICATE = "FOREIGN_REPLICATE"
"""Core to worker: the worker sent output of a replicate that core does not assign to it (any more)."""

UNKNOWN_REPLICATE = "UNKNOWN_REPLICATE"
"""Core to worker: core holds no such replicate of this worker."""

TOO_MANY_UPLOADS = "TOO_MANY_UPLOADS"
"""Result proxy to worker: all upload slots are in use; retry later."""

NO_AUTHORIZATION_FOR_TASK = "NO_AUTHORIZATION_FOR_TASK"
"""Result proxy to worker: the proxy has no authorization of this worker; retry with a new token, which brings it."""

CONTRIBUTION_NOT_REVEALED = "CONTRIBUTION_NOT_REVEALED"
"""Result proxy to worker: the proxy's node does not show the reveal yet; retry."""

GET_CHAIN_TASK_FAILED = "GET_CHAIN_TASK_FAILED"
"""Result proxy to worker: the proxy's node does not show the task yet; retry. Named by the protocol's causes."""

TASK_NOT_REVEALING = "TASK_NOT_REVEALING"
"""Result proxy to worker: the proxy's node does not show the task in REVEALING; retry while the worker's node does."""

GET_CHAIN_DEAL_FAILED = "GET_CHAIN_DEAL_FAILED"
"""Result proxy to worker: the proxy's node does not show the deal yet; retry. Named by the protocol's causes."""

RESULT_SIZE_MISMATCH = "RESULT_SIZE_MISMATCH"
"""Result proxy to worker: other bytes arrived than the worker sent; send them again."""

RESULT_CHECKSUM_MISMATCH = "RESULT_CHECKSUM_MISMATCH"
"""Result proxy to worker: other bytes arrived than the worker sent; send them again."""

UPLOAD_OFFSET_MISMATCH = "UPLOAD_OFFSET_MISMATCH"
"""Result proxy to worker: the upload continues at another byte, or at another process of the proxy."""
