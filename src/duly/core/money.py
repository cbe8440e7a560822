"""Money as a whole number of minor units (分) beside an ISO 4217 currency."""

from __future__ import annotations

import re
from types import MappingProxyType

#: Currencies whose minor unit is not 1/100 (ISO 4217); every other known one has two decimals.
_DECIMALS = MappingProxyType(
    {
        **dict.fromkeys(
            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
        ),
        **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
        **dict.fromkeys("CLF UYW".split(), 4),
    }
)
_TWO_DECIMALS = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CNH CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP "
    "GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
    "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS "
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD "
    "XCG YER ZAR ZMW ZWG ZWL".split()
)

CURRENCIES = MappingProxyType({**dict.fromkeys(sorted(_TWO_DECIMALS), 2), **_DECIMALS})

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]+)?")


class NotMoney(ValueError):
    """The text is not an amount in this currency."""


def to_minor(text: str, currency: str) -> int:
    """Return the minor units of a decimal text.

    Refuses (NotMoney) separators, exponents, more decimals than the currency has.

    >>> to_minor("734.10", "CNY")
    73410
    """
    decimals = CURRENCIES[currency]
    if not _AMOUNT.fullmatch(text):
        raise NotMoney(text)
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > decimals:
        raise NotMoney(text)
    minor = int(whole + fraction.ljust(decimals, "0"))
    return -minor if text.startswith("-") else minor


def major(minor: int, currency: str) -> str:
    """Return the plain decimal text of an amount.

    >>> major(73410, "CNY")
    '734.10'
    """
    decimals = CURRENCIES[currency]
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(decimals + 1, "0")
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)
