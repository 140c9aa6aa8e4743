"""Settings for collecting and compressing static files at build time; what a lab has: config-templates/horizon."""

ALLOWED_HOSTS = ["build"]
# Django wants one; nothing is signed with it that stays.
SECRET_KEY = "build"  # noqa: S105
COMPRESS_OFFLINE = True
STATIC_ROOT = "/usr/share/horizon/static"
# There is no memcached here; scripts that come out of a cache would be left out.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
