"""The only place that knows Docker; `labctl.engine.process` is the one subprocess door."""
