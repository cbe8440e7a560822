"""What is there in a reply before anything is decided: its spelling, cues, dates, figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from duly.replies import amounts, dates, hindi, retracting, tying
from duly.replies.amounts import Figure
from duly.replies.cues import Cue, cues, unmeant
from duly.replies.day_words import Mention
from duly.replies.respelling import HAN, by_sound, days_by_sound, respelled

#: The reply says that nothing was paid yet.
_UNPAID = re.compile(
    r"没钱(?:还|付|交)|(?<!说我)(?<!说)(?<!显示)没有?(?:还|付|转|交)(?!.{0,2}(?:更新|到账|过期|同步))|尚?未(?:还|付|转|交)|"
    r"\b(?:not|haven'?t|havent|didn'?t|didnt|never|hasn'?t|hasnt|isn'?t|wasn'?t|nt)"
    r" (?:yet |been |even |actually |be )*(?:paid|pay|settled|cleared)|"
    r"\b(?:you|u|ya|una)(?:'ll| will| go)? (?:get|be) paid\b|\bif (?:i|we|he|she) (?:only |"
    r"just )?(?:paid|settled|cleared|sent|did)\b|"
    r"\b(?:and|then|until) (?:it'?s|its|it'?ll be|it will be|you'?re|that'?s) "
    r"(?:paid|done|settled|sorted|cleared|yours)\b"
)
#: Days that only come: what is done on them is not done yet.
_TO_COME = re.compile(r"下|明|后天|后日|月底|月末|之?内$|以内$|[天周日月]之?后$|到时")
#: 转过去 is what will be done, 转过去了 what was.
_GOES = re.compile(r"去(?!了|的|啦|咗)")
#: What should have been paid was not.
_OWED = re.compile(
    r"(?:该|应|想|打算|准备|本来要|本想)还(?!.*了)|提交|转交|"
    r"(?:会|能|肯定|一定)(?:还|转|付|打|汇|交)(?!.*[了过])"
)
#: 还了一年 tells how long somebody pays, not that it is done.
_FOR_LONG = re.compile(r"^[一二两三四五六七八九十半几好多\d]{1,3}(?:年|个?多?月|期)")
#: A shop that closed is no loan, wages that are credited no payment.
_OTHERS_DO = re.compile(
    r"\b(?:shop|business|store|office|factory|company|branch|firm|restaurant|site|market|school)"
    r"(?:'s| is| was| has| also| now| been| got)* closed$|"
    r"\b(?:salary|salaries|wages?|pension|stipend|pay|bonus|benefits?)"
    r"(?:'s| is| was| has| have| had| not| been| will| be| gets?| only| usually| normally)*"
    r" (?:credited|paid|deposited)$"
)
#: 'Do not text my office mobile' is about a number, not about people there.
_OWN_LINE = re.compile(r"^ (?:mobile|phone|number|line|cell|whatsapp)\b")
#: Nobody complains who says that he does not, or asks beforehand that something be left.
_NO_COMPLAINT = re.compile(
    r"(?:不是|不想|没想|无意|没打算)(?:要|想|来|打算|去|为了)?\|(?:投诉|举报)|"
    r"(?:不要|别|请勿|不许|不准|不得|莫)(?:去|给我|随便|往)?\|(?:打|联系|找|发给|发到)|"
    r"\b(?:not|don'?t|never|no)(?: want| wanna| wish| mean| trying| looking| here| a)*(?: to)? ?"
    r"\|complain|"
    # Who asks to be rung at an hour does not complain of it.
    r"\b(?:can|could|would|will|please|pls|plz|kindly)\b[^,.!?|]{0,20}\|"
    r"(?:ring|call|phone|text|contact)(?: me)? (?:after|before|at|around) \d|"
    # Nor who pays at midnight.
    r"\b(?:pay|paying|paid|send|sending|settle|transfer|clear|sort)\b"
    r"(?:(?!\b(?:call|text|ring|phon|messag|you)\w*)[^,.!?|]){0,30}\|(?:at |by )?midnight"
)
#: Said of the dead, whoever they are.
_DEAD_PEOPLE = re.compile(
    r"死人|\bdead (?:people|m[ae]n|wom[ae]n|persons?|folks?|bod|guys?)|\bcorpse\b"
)
_DONE = re.compile(r"已|昨|刚|早(?!上)|前[天晚]|过了")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reply as the deciding sees it."""

    text: str  #: respelled
    cues: tuple[Cue, ...]
    mentions: tuple[Mention, ...]
    meant: tuple[Mention, ...]  #: those among them that are not denied, taken back or for else
    figures: tuple[Figure, ...]
    pays_on: bool  #: a date is tied to paying, or stands alone
    asks_on: bool  #: it is asked whether a date would do
    shifts: bool = False  #: a later day or more time is asked for
    in_parts: bool = False  #: a part now and a part later
    stands: bool = False  #: a firm day is named, and nothing is asked
    unmeant: tuple[str, ...] = ()  #: acts that are named to say that they are not meant
    by_sound: bool = False  #: the cues were found only by how the words sound

    @property
    def named(self) -> tuple[str, ...]:
        """The cues, and whether there are dates and figures, as the model's features."""
        kinds = {f"{one.act}:{one.strength}" for one in self.cues}
        kinds |= {"day" if one.day else "vague day" for one in self.mentions}
        kinds |= {"money"} if self.figures else set()
        kinds |= {"pays on"} if self.pays_on else set()
        kinds |= {"asks on"} if self.asks_on else set()
        kinds |= {"shifts"} if self.shifts else set()
        kinds |= {"in parts"} if self.in_parts else set()
        return tuple(sorted(kinds))


def gathered(text: str, received_at: datetime, lang: str | None) -> Evidence:
    """Return the evidence of a reply; a Chinese text without cues is heard as well as read."""
    evidence = _of(respelled(text, lang), received_at, lang)
    if HAN.search(evidence.text) and not any(one.day for one in evidence.mentions):
        heard = days_by_sound(evidence.text)
        if heard != evidence.text and (second := _of(heard, received_at, lang)).pays_on:
            return second
    known = evidence.cues or evidence.pays_on or evidence.shifts or evidence.in_parts
    if known or evidence.unmeant or not HAN.search(evidence.text):
        return evidence
    heard = by_sound(evidence.text)
    if heard != evidence.text:
        second = _of(heard, received_at, lang)
        # Where a day is named already, sounds are only asked for what is done on it.
        dated = any(one.day for one in evidence.mentions)
        if second.pays_on or (not dated and any(one.strength == "sure" for one in second.cues)):
            return replace(second, by_sound=True)
    return evidence


def _of(plain: str, received_at: datetime, lang: str | None) -> Evidence:
    found = dates.mentions(plain, received_at, lang)
    figures = amounts.figures(plain, [(one.start, one.end) for one in found])
    meant = dates.undenied(plain, found)
    asks_on = tying.asks_on(plain, found)
    shifts, in_parts = tying.shifts(plain, meant), tying.in_parts(plain, found, figures)
    return Evidence(
        text=plain,
        cues=_uncontained(_without_denied(plain, cues(plain), found)),
        mentions=found,
        meant=meant,
        figures=figures,
        pays_on=not (asks_on or shifts or in_parts) and tying.pays_on(plain, meant, figures),
        asks_on=asks_on,
        shifts=shifts,
        in_parts=in_parts,
        stands=tying.stands(plain, meant),
        unmeant=unmeant(plain),
    )


#: Acts that no longer words of another act take the place of.
_NEVER_CONTAINED = (
    "deceased_or_incapacity", "legal_representation", "complaint", "self_harm", "severe_illness",
    "destitution", "demand", "accusation",
)  # fmt: skip
#: What is kept inside longer words of a lesser act: 'may I pay by the week' asks for parts.
_KEPT = (("instalment_request", "extension_request"), ("paid_already", "instalment_request"))
#: Acts that only mark an exception take no place.
_MARKS = ("demand", "accusation", "harmless")


def _without_denied(
    text: str, found: tuple[Cue, ...], mentions: tuple[Mention, ...]
) -> tuple[Cue, ...]:
    """Leave out that something was paid where the reply says that it was not, or will be."""
    unpaid = bool(_UNPAID.search(text))
    to_come = [one.end for one in mentions if one.day and _TO_COME.search(one.words)]
    put_right = retracting.corrections(text, mentions)
    unwilling = hindi.denials(text)

    def denied(one: Cue) -> bool:
        # 'The 15th was a typo' is said of a day: neither of a number nor of a bill.
        if one.act.startswith("dispute_") and any(
            start <= one.start < end for start, end in put_right
        ):
            return True
        # 'Pay nahi karunga' says that he will not.
        if one.act == "promise_to_pay" and any(
            start < one.end and one.start < end for start, end in unwilling
        ):
            return True
        # 'I cannot possibly pay tomorrow' asks for nothing.
        if one.act == "extension_request" and text[: one.start].endswith(("不可", "太可", "没可")):
            return True
        if one.act == "complaint" and _OWN_LINE.match(text[one.end :]):
            return True
        if one.act in ("complaint", "demand", "accusation") and _NO_COMPLAINT.search(
            f"{text[: one.start]}|{one.words}"
        ):
            return True
        if one.act == "dispute_amount" and one.words.endswith(" off") and (
            text[one.end :].startswith(" limits")
        ):  # fmt: skip
            return True
        if one.act == "paid_already" and (
            _OWED.search(one.words)
            or (one.words.endswith("还了") and _FOR_LONG.match(text[one.end :]))
            or _OTHERS_DO.search(f"{text[: one.start]}{one.words}")
        ):
            return True
        if one.act != "paid_already" or unpaid:
            return one.act == "paid_already"
        if _GOES.match(text[one.end :]) and not _DONE.search(text[: one.end]):
            return True
        ahead = [end for end in to_come if end <= one.end]
        return bool(ahead and HAN.search(text) and not _DONE.search(text[: one.end])
                    and not re.search(r"[,.!?]", text[max(ahead) : one.start]))  # fmt: skip

    return tuple(one for one in found if not denied(one))


def _uncontained(found: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Leave out a cue whose words lie inside the longer words of a sure cue of another act."""

    def inside(one: Cue) -> bool:
        return any(
            other.act not in (one.act, *_MARKS) and other.strength == "sure"
            and (one.act, other.act) not in _KEPT
            and (
                one.act != "opt_out"
                or (other.act == "callback_request" and HAN.search(other.words))
            )
            and other.start <= one.start and one.end <= other.end
            and other.end - other.start > one.end - one.start
            for other in found
        )  # fmt: skip

    found = _of_the_dead(found)
    # 'I wish I would never wake up' tells of no death, 'whom will you ask if I die' of no stranger.
    wishes = [(one.start, one.end) for one in found if one.act == "self_harm"]
    return tuple(
        one for one in found
        if (one.act in _NEVER_CONTAINED or not inside(one))
        and not (one.act in ("deceased_or_incapacity", "dispute_identity")
                 and any(start <= one.start and one.end <= end for start, end in wishes))
    )  # fmt: skip


def _of_the_dead(found: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Leave out 'dead people pay nothing' as the writer's own wish where somebody died."""
    wishes = [one for one in found if one.act == "self_harm"]
    died = any(
        one.act == "deceased_or_incapacity" and one.strength == "sure"
        and not any(wish.start <= one.start and one.end <= wish.end for wish in wishes)
        for one in found
    )  # fmt: skip
    return tuple(
        one for one in found
        if not (died and one.act == "self_harm" and _DEAD_PEOPLE.search(one.words))
    )  # fmt: skip
