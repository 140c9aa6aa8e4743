"""What can be built and run, read from the data folders images/, config-templates/ and compose/."""
