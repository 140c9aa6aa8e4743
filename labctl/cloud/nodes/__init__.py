"""Compute nodes as the cloud sees them: looked at, drained, forgotten."""
