"""Whose death or incapacity does a reply tell of? The borrower's, or that of the writer's family.

`deceased` binds a person for good, so it is raised for the borrower alone: where the words tie the
dead to the loan or the number (its owner, 'his loan', 'stop texting him', 'I am his son'), or where
they name nobody but 'he' or 'she'. Who writes of a relative of his own and ties nothing to him is
bereaved: he is paused, and a person speaks with him.
"""

from __future__ import annotations

import re
from typing import Literal

Fate = Literal["deceased", "incapacity", "bereaved"]

#: Relatives by name, in respelled simplified Chinese; 家属 and 家人 may be whoever writes.
_KIN = (
    r"(?:[家先亡老][父母夫妻慈爸妈公婆伴豆窦]|阿(?:爸|妈|嫲|婆|公|爷|哥|姐|弟|妹|叔|姨|嬷|伯)|"
    r"我(?:先生|太太|女朋友|男朋友)|内人|外[公婆]|[大二三]?[伯舅叔姑姨](?!息)[父母]?|嫂子?|"
    r"[姐妹]夫|女婿|儿媳|媳妇|孙[子女]|闺女|老丈人|丈母娘|未婚[夫妻]|爱人|妻子?|丈夫|"
    r"爸|妈|爹|娘|父亲|母亲|父母|儿子?|女儿|孩子|小孩|[哥弟姐妹]|爷|奶|姥[姥爷]|岳[父母]|"
    r"侄[子女]|(?:家|屋企)(?:里|中)?(?:的|有)?(?:老人|长辈|亲人))"
)
_KIN_EN = (
    r"(?:husband|wife|spouse|partner|hubby|father|mother|dad(?:dy)?|m[uo]m(?:my)?|mam|pa?pa|amma|"
    r"brother|bro|sister|sis|son|daughter|uncle|aunt(?:ie|y)?|grand(?:ma|pa|ad|dad|father|mother|"
    r"son|daughter)|nan|gran(?:ny)?|cousin|nephew|niece|parents?|fianc[eé]e?|baby|child|kid|"
    r"(?:father|mother|brother|sister) in law|pita|pita ?ji|baap|abb[ua]|ammi|maa|mata ?ji|mummy|"
    r"dada(?: ?ji)?|dadi|nan[ai](?: ?ji)?|pati|patni|biwi|shauhar|beta|beti|chacha|sasur|saas|"
    r"mer[aei] bhai|mer[ai] (?:bahan|behen)|didi)"
)
_TALKS_TO = r"(?:call|text|contact|messag|bother|harass|chas|writ|ring|disturb)"
#: What ties the dead to the loan or to the number that was written to.
_THE_BORROWER = re.compile(
    r"机主|号主|借款人|户主|持卡人|贷款人|欠款人|债务人|当事人|手机主人|用户|客户|本人(?:已|己|早|都)|"
    rf"我们?[是系](?:他|她|其|死者|逝者)?(?:的|个)?(?:{_KIN}|女|仔|儿|家属|家人|亲属|朋友|同事|室友)|"
    rf"家属(?:代|回复?|说|告知)|是其[子女妻夫母父]|这是(?:他|她|其)的?{_KIN}|[帮替代](?:他|她|我?{_KIN})[回接看收]|"
    r"手机[在是]我|所欠|不懂[贷还借]|不识字|不记得借|[问跟找](?:他|她)要[钱债]|说不了话|不会(?:说话|看短信)|"
    r"[讲说]不[出了清]话?|回不了|看不懂|不认得?字|什么都不(?:知道|懂|记得)|"
    rf"[是系](?:他|她|我?{_KIN})(?:本人)?(?:的|生前|名下)?(?:借|贷|欠|办|用|手机|号|电话|$|[,.!])|"
    rf"(?:他|她|其|{_KIN})(?:的|名下的?|生前的?|留下的)*(?:贷款|借款|欠款|账单|手机|号码|电话|平台)|"
    rf"{_KIN}(?:借|欠|贷)的|(?:他|她|其|生前)[^,.!?]{{0,4}}(?:借的|贷的|欠的|办的|借过|贷过)|"
    rf"(?:别|不要|不用|勿|停止|莫)(?:再)?[^,.!?]{{0,6}}(?:找|联系|联络|打扰|骚扰|烦|催|给|发)(?:给)?"
    rf"(?:他|她|我?{_KIN})|"
    r"\b(?:account ?holder|card ?holder|holder|owner|borrower|customer|client|user|debtor|"
    r"(?:person|man|woman|guy|lady) (?:that |who(?:m)? )?(?:you|u|ya))\b|"
    rf"\b(?:i ?'?m|i am|this is|it'?s|its) (?:his|her|their|"
    rf"the) (?:late \w+'?s )?(?:{_KIN_EN}|widow|"
    r"widower|executor|executrix|next of kin|family|friend|flatmate|roommate|carer)\b|"
    rf"\b(?:his|her|their|{_KIN_EN}'?s) (?:old )?(?:loan|account|phone|number|bill|mobile|cell|"
    r"line|debt|estate)\b|"
    r"\b(?:loan|account|phone|number|line|sim|debt) (?:was|is|were|belong\w*)(?: in| to)? "
    rf"(?:his|hers?|him|my {_KIN_EN})\b|"
    r"\b(?:he|she|who|that) (?:took|borrowed|owed|signed|had|has|got|opened)(?: out)?"
    r"(?: (?:the|this|that|a|an|it|your|you)\b| (?:loan|account|money)\b|$|[,.!])|"
    r"\bclose (?:this|the|it|his|her)\b|\b(?:his|her|their) affairs\b|\b(?:talk|speak) to me\b|"
    rf"\bi(?:'?m| am) (?:his|her|a|the) carer\b|"
    r"\b(?:can'?t|cannot|can not|doesn'?t|does not|unable to|not able to) (?:\w+ )?(?:speak|"
    r"talk|reply|"
    r"respond|answer|understand|read|deal with|handle|manage|remember)\b|"
    # Hindi: 'unka loan', 'ye number unka tha'.
    r"\b(?:un|us|in)(?:ka|ke|ki)(?: naam)?(?: pe| par)? (?:tha |hi )?(?:loan|number|phone|account|"
    r"karza|emi)\b|\b(?:loan|number|phone|account|karza)\b[^,.!?]{0,12}\b(?:un|us|in)(?:ka|ke|ki|"
    r"hone)\b|"
    r"\bestate of\b|\bprobate\b|\bexecut(?:or|rix)\b|"
    rf"\b(?:stop|don'?t|do not|never|quit|no more)\b[^.!?]{{0,20}}\b{_TALKS_TO}\w*[^.!?]{{0,6}}"
    rf"\b(?:him|her|my {_KIN_EN})\b"
)
#: A relative of the writer, or a mourning that only the living go through.
_OWN_FAMILY = re.compile(
    rf"{_KIN}|奔丧|守孝|戴孝|服丧|办(?:丧|白|后)事|葬礼|家(?:里|中)?有丧|"
    rf"\b{_KIN_EN}\b|\b(?:in my|my) family\b|\bmy (?:best )?friend\b|\bfuneral\b|\bbereave|"
    rf"\bgrief\b|"
    r"\bgrieving\b|\bmourning\b"
)
_DIED = re.compile(
    r"死|[去过逝辞离]世|世了|逝|病故|身故|亡|(?<!逃)(?<!搬)走[了的]|没[了的]|离开|不在(?:了|啦|人)|往生|作古|火化|埋|"
    r"葬|丧|坟|墓|骨灰|遗[体像孀]|挂了|牺牲|归西|归天|升天|咽气|断气|没救|救不|去了(?=$|[,.!])|"
    r"\b(?:dead|died?|dying|death|deceased|demise|passed|passing|gone|buried|burial|funeral|late|"
    r"estate|probate|execut(?:or|rix)|widow\w*|kpai|lost|expired|no more|heaven|rip|killed|"
    r"cremat\w*|guza?r gay\w*|gujar gay\w*|chal ba?se|dehant|inte[kq]al|wafat|swarg\w*|"
    r"mar gay\w*|expire ho\w*|rah[ei]|"
    r"mortuary|morgue|obituary|rest(?:ing)? in peace)\b"
)
_CANNOT_ACT = re.compile(
    r"住院|昏|糊涂|不遂|里[面头]|植物|中风|脑|瘫|痴|失智|失忆|智[障力]|精神|疯|坐牢|服刑|[监牢]|入狱|看守所|拘|被[抓捕]|判|"
    r"戒毒|劳改|失踪|失联|走失|下落不明|病|icu|监护|自理|意识|不省人事|不清|说不|车祸|抢救|残|癌|进去了|"
    r"\b(?:coma|comatose|stroke|hospital\w*|icu|dementia|alzheimer\w*|paraly\w*|ventilator|"
    r"life support|unconscious|vegetative|brain|jail|prison|serving|sentence|bedridden|senses|"
    r"memory care|arrested|custody|locked up|"
    r"incarcerated|missing|incapacitated|mental\w*|psych\w*|disab\w+|guardian\w*|under ?age|minor|"
    r"unable|care home|nursing home|feeding tube|intensive care)\b"
)

#: Who lost what is needed to act for himself: not who is only away, or in prison.
_NO_CAPACITY = re.compile(
    r"昏迷|昏[了睡]?不醒|植物人|脑死亡|不省人事|没(?:有)?意识|意识(?:不清|模糊|全无)|神[志智]不清|"
    r"痴呆|阿尔茨海默|失智|失忆|认不[得出]人|不认(?:得|识)人|精神分裂|无(?:完全)?民事行为|限制民事行为|"
    r"行为能力|监护|智[障力]|老糊涂|呼吸机|重症|icu|渐冻|不能自理|"
    r"\b(?:coma|comatose|dementia|alzheimer\w*|vegetative|brain (?:dead|damage\w*|injur\w+)|"
    r"unconscious|not conscious|ventilator|life support|intensive care|icu|schizophreni\w+|"
    r"guardian\w*|conservator\w*|(?:mental )?capacity|incapacitated|incapable|unsound mind|"
    r"lost (?:his|her|their) (?:mind|memory|marbles)|memory care|senile|feeding tube|"
    r"(?:power of attorney|l?poa) (?:for|over|on behalf of)|"
    r"(?:can'?t|cannot|can no longer|unable to|no longer able to) (?:\w+ )?(?:manage|handle|"
    r"understand|remember|recogni[sz]e|look after|communicate))\b"
)
_LOST_MIND = re.compile(r"\blost (?:his|her|their) (?:mind|memory|marbles)\b")


def lacks_capacity(text: str) -> bool:
    """Return whether a respelled text tells of somebody alive who cannot act for himself.

    >>> lacks_capacity("我妈老年痴呆"), lacks_capacity("he died in a coma")
    (True, False)
    >>> lacks_capacity("他坐牢了")
    False
    """
    told = _NO_CAPACITY.search(text) is not None
    return told and _DIED.search(_LOST_MIND.sub(" ", text).replace("脑死亡", "")) is None


def fate_of(text: str) -> Fate:
    """Return whose fate a respelled text tells of, known to tell of a death or an incapacity.

    Where nobody is named, the one written to is meant.

    >>> fate_of("我爸走了"), fate_of("我是他老婆,他去世了"), fate_of("he is in a coma")
    ('bereaved', 'deceased', 'incapacity')
    """
    if not _THE_BORROWER.search(text) and _OWN_FAMILY.search(text):
        return "bereaved"
    if _CANNOT_ACT.search(text) and not _DIED.search(text):
        return "incapacity"
    return "deceased"
