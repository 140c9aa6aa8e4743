"""Builds the images: locks, base root filesystem, Dockerfiles and docker-bake.json, bake."""
