# The dashboard's settings (docs.openstack.org/horizon/2024.2/configuration/settings.html).
ALLOWED_HOSTS = ["10.20.0.1"]
SECRET_KEY = "secret-of-password.horizon"
TIME_ZONE = "UTC"

# As when the image was built (images/horizon): style sheets and scripts are compressed there.
COMPRESS_OFFLINE = True
STATIC_ROOT = "/usr/share/horizon/static"

OPENSTACK_KEYSTONE_URL = "http://10.20.0.1:5000/v3"
OPENSTACK_KEYSTONE_DEFAULT_ROLE = "member"
CONSOLE_TYPE = "VNC"
# A server's disk comes from its image unless one asks for a volume.
LAUNCH_INSTANCE_DEFAULTS = {"create_volume": False}

# In the browser, signed with the key: Django unpickles sessions, and whoever reaches memcached could write there.
# They are pickles as they hold objects (openstack_auth/user.py, Token), which JSON has no form for; what the key did
# not sign is never unpickled.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Django mails errors to administrators otherwise, and logs none.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "openstack_auth": {"level": "INFO"},
    },
}
