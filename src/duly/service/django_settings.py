"""What Django is told that does not depend on the machine; the database comes by `set_up`."""

from __future__ import annotations

from pathlib import Path

DATABASES: dict[str, dict[str, object]] = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "duly"}
}
INSTALLED_APPS = ["duly.service.store.apps.StoreConfig"]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "duly.service.api.urls"
MIDDLEWARE = ["duly.service.api.watching.watched", "duly.service.front.split"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [str(Path(__file__).parent / face / "templates") for face in ("portal", "console")],
        "OPTIONS": {
            "builtins": ["duly.service.faces.tags"],
            "string_if_invalid": "",
        },
    }
]
#: Of the staff: memory and time make guessing dear.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
#: The mark that a form is ours: the one cookie before somebody signs in.
CSRF_COOKIE_NAME = "__Host-duly-form"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "duly.service.faces.views.forged"
#: What is uploaded stays in memory: nothing of a person's lies unsealed on a disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 << 20
DATA_UPLOAD_MAX_NUMBER_FILES = 1
ALLOWED_HOSTS = ["*"]  # No answer is made from the name that a caller gives us.
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
LOGGING_CONFIG = None  # Who serves says where logs go.
