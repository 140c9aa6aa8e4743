"""Checks of configuration files, anybody's: each against the options of its service, and all against each other."""
