"""How is a text handed to a short-message center, and what does it tell us? SMPP 3.4."""

from duly.delivery.smpp.gateway import SmppGateway
from duly.delivery.smpp.settings import SmppSettings

__all__ = ["SmppGateway", "SmppSettings"]
