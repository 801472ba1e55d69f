"""The worker folders: workspace, result archives, post-compute."""
