"""The way of a packet: what it should pass, what it was seen at, and where and why it died."""
