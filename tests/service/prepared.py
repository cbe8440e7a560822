"""Django's settings are read, and people's keys stand under a key of the tests; once, first."""

from __future__ import annotations

import os

from duly.service import setting_up

SECRET_KEYS = "k1:" + "5a" * 32

setting_up.prepare()
#: What is about a person stands under a key of his own, and that under this one.
os.environ.setdefault("DULY_SECRET_KEYS", SECRET_KEYS)
