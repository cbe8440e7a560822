"""Tables of the API: who may ask, what was answered, what was decided, what is told to whom."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_ID = 200
POST_STATES = ("waiting", "delivered", "dead")


class ApiKey(models.Model):
    """One key of one program; only its prefix and the hash of the whole are kept."""

    name = models.CharField(max_length=_ID)  #: whose it is; two of a name live while one rotates
    prefix = models.CharField(max_length=16, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)  #: by the hour

    class Meta:
        """Indexes."""

        indexes = [models.Index(fields=["name"], name="api_key_name")]


class IdempotentAnswer(models.Model):
    """What was answered to a request that named an `Idempotency-Key`; kept for 24 hours."""

    owner = models.CharField(max_length=_ID)  #: the name of the API key
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.BinaryField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="idempotent_answer_once")
        ]
        indexes = [models.Index(fields=["at"], name="idempotent_answer_at")]


class Counter(models.Model):
    """How often something was asked in one window of time."""

    pk = models.CompositePrimaryKey("kind", "subject", "window")
    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=64)  #: a hash where it is a person's
    window = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        """Indexes."""

        indexes = [models.Index(fields=["window"], name="counter_window")]


class SeenWebhook(models.Model):
    """A signed webhook that was taken: its name is not taken twice."""

    pk = models.CompositePrimaryKey("route", "name")
    route = models.CharField(max_length=100)
    name = models.CharField(max_length=_ID)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Indexes."""

        indexes = [models.Index(fields=["at"], name="seen_webhook_at")]


class Decision(models.Model):
    """What a run decided about one loan, and with which facts where it may be contacted."""

    pk = models.CompositePrimaryKey("loan_id", "run_id")
    loan_id = models.CharField(max_length=_ID)
    run = models.ForeignKey("Run", on_delete=models.PROTECT, db_index=False)
    borrower_id = models.CharField(max_length=_ID)
    business_date = models.DateField()
    decision = models.CharField(max_length=20)
    reason = models.CharField(max_length=100)
    rule = models.CharField(max_length=_ID, null=True)
    legal = models.JSONField(default=list)
    channel = models.CharField(max_length=20, null=True)
    template = models.CharField(max_length=100, null=True)
    tone = models.CharField(max_length=20, null=True)
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    next_review_on = models.DateField(null=True)
    message_id = models.CharField(max_length=64, null=True)
    task_kind = models.CharField(max_length=40, null=True)
    facts = models.JSONField(null=True)
    figures = models.JSONField(null=True)  #: of the position; money in minor units
    by_channel = models.JSONField(null=True)  #: facts that another channel has otherwise


class Endpoint(models.Model):
    """Where outgoing events are posted; its secrets are sealed under DULY_SECRET_KEYS."""

    name = models.CharField(primary_key=True, max_length=100)
    url = models.CharField(max_length=2000)
    types = models.JSONField()
    secret = models.BinaryField()
    former_secret = models.BinaryField(null=True)  #: signs too until `former_until`
    former_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    disabled_at = models.DateTimeField(null=True)


class OutgoingEvent(models.Model):
    """One thing that happened and that somebody wants to hear of; written where it happened."""

    id = models.CharField(primary_key=True, max_length=64)  #: the `webhook-id`
    type = models.CharField(max_length=40)
    at = models.DateTimeField(db_default=Now())
    data = models.JSONField()

    class Meta:
        """Indexes."""

        indexes = [models.Index(fields=["at"], name="outgoing_event_at")]


class EventPost(models.Model):
    """One event on its way to one endpoint, tried for three days."""

    event = models.ForeignKey(OutgoingEvent, on_delete=models.CASCADE)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE)
    state = models.CharField(max_length=10, default="waiting", db_default="waiting")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(null=True)
    last_answer = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(state__in=POST_STATES), name="event_post_state"),
            models.UniqueConstraint(fields=["event", "endpoint"], name="event_post_once"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting"),
                         name="event_post_due"),
            models.Index(fields=["endpoint", "state"], name="event_post_endpoint"),
        ]  # fmt: skip
