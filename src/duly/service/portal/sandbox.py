"""The sandbox's page: what a provider's would be, on our own server, and no money moves.

It stands where the lender file names a sandbox, and a lender file may do so on the machine itself
alone (`operations.providers`). Its callbacks take the way of every other provider's.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Timer
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.care.checkout import sandbox
from duly.care.checkout.sandbox import Order, Post
from duly.service import journal
from duly.service.api.serving import present
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.faces.views import shown
from duly.service.operations import payments
from duly.service.operations.providers import Way
from duly.service.portal.pages import page, problem

_SEE_OTHER = 303
_QUERY_MAX = 2_000
_SEED = "seed"  #: the choice that leaves it to the seed


@shown("GET", "POST")
def pay(request: HttpRequest) -> HttpResponse:
    """Take an order as a provider would, let its fate be chosen, and post what comes of it."""
    given = request.POST if request.method == "POST" else request.GET
    signed = "" if "order" in given else request.META.get("QUERY_STRING", "")
    query = given.get("order", signed)
    found = _order(query[:_QUERY_MAX])
    if found is None:
        return problem(request, "nowhere", status=404)
    way, order = found
    if signed:  # Under one name it stays with the page in another language and size.
        return _to(f"{address('pay-sandbox', look_of(request))}?{urlencode([('order', query)])}")
    if request.method != "POST":
        return page(request, "sandbox", order=order, query=query, fates=tuple(sandbox.FATES))
    fate = request.POST.get("fate", _SEED)
    if fate not in sandbox.FATES:
        assert way.seed is not None
        fate = sandbox.fate_of(order.reference, way.seed)
    at = present().clock()
    _post(way, sandbox.posts_of(order, fate, secret=way.secrets[0], at=at))
    back = urlsplit(order.return_to)  # By whichever name of the machine it was reached.
    return _to(urlunsplit(back._replace(scheme="", netloc="")))


def _to(where: str) -> HttpResponse:
    response = HttpResponseRedirect(where)
    response.status_code = _SEE_OTHER
    return response


def _order(query: str) -> tuple[Way, Order] | None:
    """Return the order of a query and whose it is; None: no sandbox, or not signed for one."""
    at = present().clock()
    for way in present().ways.values():
        if way.seed is not None:
            found = sandbox.order_of(query, way.secrets, at=at)
            if found is not None:
                return way, found
    return None


def _post(way: Way, posts: Sequence[Post]) -> None:
    """Post now what comes now; the rest comes by itself while this process lives."""
    for one in posts:
        if one.later:
            later = Timer(way.delay_ms / 1000, _hear_beside, (way, one))
            later.daemon = True
            later.start()
        else:
            _hear(way, one)


def _hear(way: Way, post: Post) -> None:
    serving = present()
    payments.hear(way, headers=post.headers, body=post.body, lender=serving.lender,
                  at=serving.now(), clock=serving.clock())  # fmt: skip


def _hear_beside(way: Way, post: Post) -> None:
    """Hear a late callback in a thread of its own, which keeps no connection."""
    try:
        _hear(way, post)
    except DatabaseError as error:
        journal.broken("sandbox.late", error)
    finally:
        connection.close()
