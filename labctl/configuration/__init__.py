"""Configuration of OpenStack's services: files in oslo.config's dialect, and the options that they may have. Pure."""
