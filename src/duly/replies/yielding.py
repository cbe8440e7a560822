"""Which acts that the rules are sure of give way to others: the guide's exceptions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from duly.replies.cues import Cue
from duly.replies.evidence import Evidence

Acts = dict[str, tuple[str, ...]]
#: Acts of the rules that tell of a writer in danger.
CARE = ("self_harm", "severe_illness", "destitution")
_BEHIND_ILLNESS = ("complaint", "opt_out")
_BEHIND_SELF_HARM = (
    "legal_representation", "dispute_identity", "paid_already", "dispute_amount", *_BEHIND_ILLNESS,
)  # fmt: skip

_CHILD = re.compile(
    r"\b(?:my|our) (?:\w+ )?(?:baby|babies|new ?born|infant|toddler|kid|child|twins?|son|daughter|"
    r"grandson|granddaughter)\b[^,.!?]{0,20}\b(?:in|on|has|have|diagnosed|unconscious|coma)|"
    r"(?:孩子|宝宝|娃|小孩)"
)
_CAN = re.compile(
    r"^(?:i |we |yes |ok |but |so )*can (?:only )?(?:pay|settle|do|send|clear|transfer|make)\b"
    r"(?!.*(?:\?|please|pls|ok$|okay$|anot|or not))"
)
_OFTEN = re.compile(
    r"(?:唔好|不要|别)?(?:半夜|凌晨|深夜|夜里|晚上|天天|每天|一天|老是|总是|一直|成天|整天|一天到晚|不停|没完)[^,.!?]{0,4}(?:发|打|催)?"
    r"[^,.!?]{0,4}|(?:短信)?轰炸|privacy|had it with you|"
    r"fed up (?:of|with) (?:the\w*|your|all|getting)|"
    r"too many (?:texts|calls|messages|sms)|"
    r"(?:text|call|messag|sms|ring|contact)\w* (?:me )?(?:every|all|non ?stop|constantly|so many|"
    r"too|after|before)[^,.!?]{0,10}"
)
_SPEAKS_FOR = re.compile(
    r"(?:我是|这是)(?:他|她|机主|借款人)|(?:家属|亲属|儿子|女儿|妻子|老婆|老公|儿媳)代|"
    r"\b(?:i'?m|i am|this is|am) (?:his|her|their)\b"
)
_ALL_AT_ONCE = re.compile(
    r"一次|一下子|一口气|全款|全额|全部|一把|at once|in full|all at|lump|in one go|the full|whole"
)
_BROKEN = re.compile(
    r"app|软件|系统|网页|链接|页面|登|密码|验证码|打不开|二维码|限额|卡(?:注销|过期|丢|换)|"
    r"\b(?:app|link|site|website|login|portal|page|otp|card|server)\b"
)
_TELLS = re.compile(r".{0,3}告(?:死|定)?(?:你|你们|贵司)?.{0,2}")
_SHORT_NOW = re.compile(
    r"^(?:(?:今天|现在|暂时|目前|手上|手头|手里|身上|卡里|账上)?(?:的?钱|余额)?(?:还)?"
    r"(?:不够|不足|没那么多|没有那么多|没这么多|没带|没)(?:钱|现金)?)$|"
    r"^(?:吃|领|靠)?低保$|^(?:工资|薪水|公司)(?:还)?(?:没发|没到|晚发|延迟|推迟|延后)$|"
    r"^(?:my )?(?:salary|wages?|pay)(?: is| was| got| been| has been)* (?:delayed|late|not (?:in|"
    r"credited|paid|here)(?: yet)?)$|"
    r"\b(?:short|not enough|low on)\b[^,.;!]{0,12}\b(?:today|now|right now|atm)\b"
)
_NO_NEED = re.compile(r"(?:不用|不必|甭|无需|不需要)(?:再|老|一直)?催")
_VISITS = re.compile(
    r"陪[床产护夜]|陪(?:老人|孩子)看|看望|探望|(?:上班|值班|夜班)|"
    r"\b(?:check ?up|stitches|visiting|scan)\b"
)
#: 'If I fail, ring me' is a pledge beside a day, no hardship.
_PLEDGES = re.compile(
    r"[,.!](?:要是|如果|若|万一|到时候?)?(?:我)?(?:还|付)不[了上清](?:的话)?,?"
    r"(?:你们?|我|就|再|随便|任|尽管|可以|直接|都行){0,4}(?:打|找|来|起诉|告|联系|骂|上门|随你|是狗)"
)
_NOT_EARLIER = re.compile(r"(?:之前|以前|再早|更早|早一点|早点)[^,.!?]{0,2}还不[了上出]")
_NEVER_LATE = re.compile(r"我?没有?逾期过?|not (?:been )?late|never (?:been )?late")
_UNABLE = (
    "不了",
    "不上",
    "不起",
    "不出",
    "不清",
    "没法",
    "凑不",
    "拿不",
    "can't",
    "cant",
    "cannot",
    "unable",
    "paunga",
    "paungi",
    "payega",
    "payegi",
    "sakta",
    "sakti",
    "sakte",
)


def give_way(evidence: Evidence, sure: Acts) -> None:
    """Take out of the acts that the rules are sure of those that give way to others."""
    acts = {cue.act: cue for cue in evidence.cues if cue.strength == "sure"}
    _hardship(evidence, sure, acts)
    _requests(evidence, sure, acts)
    _complaints(sure, acts)
    _illness(evidence, sure, acts)


def _hardship(evidence: Evidence, sure: Acts, acts: Mapping[str, Cue]) -> None:
    """Leave out that somebody cannot pay where it is told what he can, or that an app cannot."""
    if "hardship" not in sure or any(act in acts for act in CARE):
        return
    said = [one.words for one in evidence.cues
            if one.act == "hardship" and one.strength == "sure"]  # fmt: skip
    # Too little at hand today, or wages late, and a day on which it is paid: no more than a date.
    if evidence.pays_on and _VISITS.search(evidence.text) and said and all(
        "医院" in words or "hospital" in words for words in said
    ):  # fmt: skip
        del sure["hardship"]  # Who is there for somebody else, and pays.
        return
    dated = (evidence.pays_on and evidence.stands) or (
        evidence.shifts and any(one.confidence == "firm" for one in evidence.meant)
    )
    if dated and all(_SHORT_NOW.search(words) for words in said):
        del sure["hardship"]
        return
    if not any(mark in acts["hardship"].words for mark in _UNABLE):
        return
    # Not before that day, but on it.
    if evidence.pays_on and _NOT_EARLIER.search(evidence.text):
        del sure["hardship"]
        return
    if evidence.pays_on and _PLEDGES.search(evidence.text):
        del sure["hardship"]
        return
    # Not on that day, but on this one: a promise or a request.
    other_day = (evidence.pays_on or evidence.asks_on) and len(evidence.mentions) > 1
    # All at once is too much, parts are not.
    parts = "instalment_request" in sure and _ALL_AT_ONCE.search(evidence.text)
    broken = "how_to_pay" in sure and _BROKEN.search(evidence.text)
    if other_day or parts or broken:
        del sure["hardship"]


def _requests(evidence: Evidence, sure: Acts, acts: Mapping[str, Cue]) -> None:
    """Read requests that are none: 'I can settle on the 1st', 'no need to press, on Sunday'."""
    asked = evidence.shifts or evidence.asks_on
    # 'I was never late before' pleads for time, it disputes no bill.
    if asked and "dispute_amount" in acts and _NEVER_LATE.fullmatch(acts["dispute_amount"].words):
        sure.pop("dispute_amount", None)
    # 'I send it when I am home': 打 is to send money as it is to ring.
    ringing = acts.get("callback_request")
    if evidence.stands and ringing is not None and ringing.words.endswith("就打"):
        sure.pop("callback_request", None)
        sure.setdefault("promise_to_pay", (ringing.words,))
    dated = "extension_request" in sure and not asked and evidence.mentions
    if dated and _CAN.search(evidence.text):
        del sure["extension_request"]
        sure.setdefault("promise_to_pay", tuple(one.words for one in evidence.mentions))
    if evidence.pays_on and "opt_out" in acts and _NO_NEED.fullmatch(acts["opt_out"].words):
        sure.pop("opt_out", None)


def _complaints(sure: Acts, acts: Mapping[str, Cue]) -> None:
    """Weigh complaints: a regulator is no court, too many texts are stopped, accusations count."""
    legal = acts.get("legal_representation")
    if "complaint" in sure and legal is not None and _TELLS.fullmatch(legal.words):
        sure.pop("legal_representation", None)
    accused = "accusation" in acts
    stops = "complaint" in sure and "opt_out" in sure and not accused and "demand" not in acts
    if stops and _OFTEN.fullmatch(acts["complaint"].words):
        del sure["complaint"]
    # An explicit accusation with the wish to complain is a complaint, whatever else is said.
    if "demand" in acts and accused:
        for intent in ("paid_already", "dispute_amount", "dispute_identity"):
            sure.pop(intent, None)
        sure.setdefault("complaint", (acts["demand"].words, acts["accusation"].words))


def _illness(evidence: Evidence, sure: Acts, acts: Mapping[str, Cue]) -> None:
    """Tell the illness of a borrower who cannot act from that of a writer or his child."""
    ill, harm = "severe_illness" in acts, "self_harm" in acts
    # A relative who speaks of severe illness speaks for one who cannot.
    if "dispute_identity" in sure and ill and not harm and _SPEAKS_FOR.search(evidence.text):
        del sure["dispute_identity"]
        sure.setdefault("deceased_or_incapacity", (acts["severe_illness"].words,))
    # A child is no borrower: its illness is hardship of the parent.
    cue = acts.get("deceased_or_incapacity")
    if cue is not None and ill and _CHILD.search(cue.words):
        sure.pop("deceased_or_incapacity", None)
    # Illness of somebody who is gone or cannot act is told by that.
    if "deceased_or_incapacity" in sure and ill and not harm:
        sure.pop("hardship", None)
    # Self-harm comes before anything but a death, severe illness before stops and complaints.
    if "deceased_or_incapacity" not in sure and (ill or harm):
        for intent in _BEHIND_SELF_HARM if harm else _BEHIND_ILLNESS:
            sure.pop(intent, None)
