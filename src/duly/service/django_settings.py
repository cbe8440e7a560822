"""What Django is told that does not depend on the machine; the database comes by `set_up`."""

from __future__ import annotations

DATABASES: dict[str, dict[str, object]] = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "duly"}
}
INSTALLED_APPS = ["duly.service.store.apps.StoreConfig"]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "duly.service.api.urls"
MIDDLEWARE = ["duly.service.api.watching.watched", "duly.service.api.limits.limits"]
ALLOWED_HOSTS = ["*"]  # No answer is made from the name that a caller gives us.
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
LOGGING_CONFIG = None  # Who serves says where logs go.
