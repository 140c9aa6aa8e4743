"""Snapshots of labs, and the way back: create, restore, export, import, reset."""
