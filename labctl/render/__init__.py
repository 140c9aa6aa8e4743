"""Catalog and lab to files. Pure: nothing here knows Docker, OpenStack, the clock or randomness."""
