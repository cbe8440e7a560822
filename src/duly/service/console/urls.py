"""Which address is which page of the console; the path of the lender file stands before it."""

from __future__ import annotations

from django.urls import path

from duly.service.console import (
    borrower,
    lists,
    pages,
    portfolio,
    proposals,
    rules,
    signing_in,
    strategy,
    tasks,
    today,
)
from duly.service.faces import views

urlpatterns = [
    path("", today.today, name="today"),
    path("lists/<slug:name>", lists.listing, name="list"),
    path("lists/<slug:name>.csv", lists.export, name="export"),
    path("portfolio", portfolio.portfolio, name="portfolio"),
    path("portfolio.csv", portfolio.export, name="portfolio-file"),
    path("rules", rules.rules, name="rules"),
    path("rules.csv", rules.export, name="rules-file"),
    path("rules/<slug:rule_id>", rules.rule, name="rule"),
    path("strategy", strategy.strategy, name="strategy"),
    path("strategy.csv", strategy.export, name="strategy-file"),
    path("strategy/proposals", proposals.proposals, name="proposals"),
    path("strategy/propose", proposals.propose, name="propose"),
    path("strategy/proposals/<int:number>", proposals.proposal, name="proposal"),
    path("strategy/proposals/<int:number>/compare", proposals.compare, name="compare"),
    path("strategy/proposals/<int:number>/agree", proposals.agree, name="agree"),
    path("strategy/proposals/<int:number>/withdraw", proposals.withdraw, name="withdraw"),
    path("work", tasks.tasks, name="tasks"),
    path("work/<int:number>", tasks.task, name="task"),
    path("work/<int:number>/call", tasks.call, name="call"),
    path("work/<int:number>/called", tasks.called, name="called"),
    path("work/<int:number>/promise", tasks.promise, name="promise"),
    path("work/<int:number>/close", tasks.close, name="close"),
    path("work/<int:number>/hand-over", tasks.hand_over, name="hand-over"),
    path("borrower/<path:borrower_id>", borrower.borrower, name="borrower"),
    path("reveal/<path:borrower_id>", borrower.reveal, name="reveal"),
    path("sign-in", signing_in.sign_in, name="sign-in"),
    path("sign-out", signing_in.sign_out, name="sign-out"),
    path("style.css", pages.style, name="style"),
    path("keys.js", pages.keys, name="keys"),
]
handler400 = views.unreadable
handler404 = views.nowhere
handler500 = views.broken
