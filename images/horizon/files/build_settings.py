"""Settings for collecting and compressing static files at build time; what a lab has: config-templates/horizon."""

COMPRESS_OFFLINE = True
STATIC_ROOT = "/usr/share/horizon/static"
# Django wants one; nothing is signed with it.
SECRET_KEY = "build"  # noqa: S105
