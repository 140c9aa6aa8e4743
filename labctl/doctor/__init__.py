"""`labctl doctor`: checks of the machine, of a lab and of anybody's configuration files.

A check is a pure function of facts, in a file of its subject; `machine/`, `lab/` and `configuration/` each have the
facts (`facts.py`), what gathers them (`gather.py`), and their checks.
"""
