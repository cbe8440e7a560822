"""How is a text handed to a mail server, and what do bounces tell us? SMTP, MIME, DSN."""

from duly.delivery.smtp.bounces import read_bounce
from duly.delivery.smtp.gateway import SmtpGateway, SmtpSettings
from duly.delivery.smtp.letter import Letterhead
from duly.delivery.smtp.signing import DkimKey

__all__ = ["DkimKey", "Letterhead", "SmtpGateway", "SmtpSettings", "read_bounce"]
