"""One cloud: the lab file, its address plan, its secrets and its state folder."""
