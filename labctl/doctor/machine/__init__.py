"""Checks of the machine: what a lab needs of it, before there is one and while one is up."""
