"""Which address is which page; the path of the lender stands before it."""

from __future__ import annotations

from django.urls import path

from duly.service.portal import checking, pages

urlpatterns = [
    path("", checking.home, name="home"),
    path("verify", checking.verify, name="verify"),
    path("caller", checking.caller, name="caller"),
    path("style.css", pages.style, name="style"),
]
handler400 = pages.unreadable
handler404 = pages.nowhere
handler500 = pages.broken
