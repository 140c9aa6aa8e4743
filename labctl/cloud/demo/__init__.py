"""The demo: the tour through a cloud that shows that it works, and leaves nothing behind."""
