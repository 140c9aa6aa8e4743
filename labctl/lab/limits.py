"""What a container may take of the machine, where its Compose template says nothing else.

For one that runs wild, not for one that is busy (docs/architecture.md says what they take). Memory that the kernel can
take back, such as copies of files, counts and ends nobody. Swap is left to the engine, which allows as much again: a
service that is too big becomes slow before it is ended.
"""

MEMORY = "2g"
PROCESSES = 4096
"""Processes and threads: agents have some for each network and router, a database and a broker for each connection."""
