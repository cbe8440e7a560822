"""Which address is which page of the console; the path of the lender file stands before it."""

from __future__ import annotations

from django.urls import path

from duly.service.console import pages, signing_in, today
from duly.service.faces import views

urlpatterns = [
    path("", today.today, name="today"),
    path("sign-in", signing_in.sign_in, name="sign-in"),
    path("sign-out", signing_in.sign_out, name="sign-out"),
    path("style.css", pages.style, name="style"),
    path("keys.js", pages.keys, name="keys"),
]
handler400 = views.unreadable
handler404 = views.nowhere
handler500 = views.broken
