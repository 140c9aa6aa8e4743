"""Brings labs up and takes them down: look, render, Compose, wait until the cloud is usable."""
