"""Is it a real cloud? Tempest and the interoperability guideline, run against a lab."""
