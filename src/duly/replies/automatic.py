"""Was a reply written by a machine? Two machines that answer each other never stop."""

from __future__ import annotations

import re

_SAID = re.compile(
    r"自动(?:回复|答复|应答|回信)|自動(?:回覆|回复|答覆|回應)|系统自动|系統自動|智能(?:秘书|助理|助手)"
    r"|(?:正在|在)(?:开车|開車|驾驶|駕駛|开会|開會)|(?:休假|出差|度假)(?:中|期间|期間)|不在(?:办公|辦公)室"
    r"|(?:暂时|目前|现在|暫時|現在)(?:无法|不便|不方便|無法)(?:接听|接聽|接电话|接電話|回复|回覆|查看)"
    r"|此(?:邮件|郵件|短信|簡訊|消息|訊息)(?:为|為|由).{0,4}自[动動]|请勿(?:直接)?(?:回复|回覆)|請勿(?:直接)?回覆"
    r"|\bauto(?:mat(?:ic|ed))?[ -]?(?:reply|response|responder|message)\b"
    r"|\bautomatically generated\b"
    r"|\bout of (?:the |my )?office\b|\bon (?:annual |sick |maternity )?leave until\b|\bOOO\b"
    r"|\bi(?:(?:'|’)?m| am) (?:currently )?driving(?: right now)?\s*(?:[.,;!]|and\b|$)"
    r"|\bdo not reply to this\b|\bno-?reply\b|\bthis (?:in)?box is not monitored\b"
    r"|\bmailbox (?:is )?full\b|\bdelivery (?:status notification|has failed)\b|\bundeliverable\b"
    r"|\bcan(?:'|’)?t (?:talk|take your call|answer) right now\b",
    re.IGNORECASE,
)
#: The plainest of these, over a respelled text: nothing that such a text names was meant for us.
_ITSELF = re.compile(
    r"自动回复|\bauto(?:matic|mated)?[- ]?(?:reply|response|responder)\b|"
    r"\bout of (?:the )?office\b|"
    r"\bdo not disturb while driving\b|"
    r"^(?:您好[,!]*)?我?(?:现在|正在|在)*(?:开车|开会|忙)(?:中)?[,. ]*"
    r"(?:稍后|一会儿?|晚点|等下)(?:再)?(?:给)?(?:您|你)?(?:回复|回电|联系[您你]|回拨)|"
    r"\b(?:can'?t|cannot) (?:talk|take your call) right now\b[^?]*(?:later|soon|back)?$|"
    # A program that forgot to fill its text in: {{ text }}, %(name)s, ${reply}.
    r"\{\{|\}\}|\$\{|%\(\w+\)|<%|"
    # Nor does a person write to us in a language of machines.
    r"\b(?:drop|alter|truncate) (?:table|schema|database)\b|\bdelete from \w+_|\binsert into \w+_|"
    r"\bunion select\b|<script\b"
)


def answers_itself(respelled: str) -> bool:
    """Return whether a telephone, mailbox or program answers, so that nothing in it counts."""
    return _ITSELF.search(respelled) is not None


def is_automatic(text: str) -> bool:
    """Return whether a text says of itself that a machine wrote it.

    >>> is_automatic("【自动回复】稍后联系"), is_automatic("I'm driving right now. I'll text later")
    (True, True)
    >>> is_automatic("明天还500"), is_automatic("I am driving a taxi, pay on Friday")
    (False, False)
    """
    return _SAID.search(text) is not None
