"""What Django is told that does not depend on the machine; the database comes by `set_up`."""

from __future__ import annotations

DATABASES: dict[str, dict[str, object]] = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "duly"}
}
INSTALLED_APPS = ["duly.service.store.apps.StoreConfig"]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
