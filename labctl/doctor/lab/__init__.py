"""Checks of a lab that is up: what its engine, its APIs and its nodes say, against each other."""
