"""Does a text keep a rule? What it must say, must not say, may only say, and how it is signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from duly.conditions import evaluate
from duly.rules import phrases
from duly.rules.model import Parts, Rule, Text, Verdict, Words
from duly.spelling import folded

#: Carriers register signatures of two to sixteen characters.
_SIGNATURE = re.compile(r"^【([^【】]{2,16})】")
#: What somebody hears or reads first.
_START_CHARACTERS = 60
_LINK = re.compile(
    r"https?://[^\s,，。]+|\bwww\.[^\s,，。]+"
    r"|(?<![\w@.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|io|co|me|ly|link|top|vip|cc|tv)"
    r"(?![a-z])(?:/[^\s,，。]*)?"
    r"|(?<![\w@.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,10}/[^\s,，。]+"
)
_AMOUNT = re.compile(
    r"(?:[$£€₹¥]|rs\.?\s?|usd\s?|gbp\s?|eur\s?)\s?([0-9][0-9,  ]*(?:\.[0-9]{1,2})?)"
    r"|([0-9][0-9,]*(?:\.[0-9]{1,2})?)\s?(?:元|块|圆|dollars|pounds|euros|rupees)"
)
#: The facts whose amounts a text may name; beside them what `amounts` lists, in minor units.
_LEDGER = ("overdue_total", "late_charge", "next_due_amount")


def ask_text(rule: Rule, text: Text, facts: Mapping[str, object]) -> Verdict:
    """Return whether the text of a contact keeps a rule; the words found or lacking are named."""
    if text.when is not None and evaluate(text.when, facts) is not True:
        return Verdict(rule_id=rule.id, effect="allow")
    said = facts.get("text")
    if not isinstance(said, str):
        return Verdict(rule_id=rule.id, effect="block", reason="missing:text")
    wrong = next(iter(_wrong(text, said, facts)), None)
    if wrong is None:
        return Verdict(rule_id=rule.id, effect="allow")
    if wrong.startswith("missing:"):
        return Verdict(rule_id=rule.id, effect="block", reason=wrong)
    return Verdict(rule_id=rule.id, effect="block", reason="text", words=wrong)


def _wrong(text: Text, said: str, facts: Mapping[str, object]) -> Iterable[str]:
    """Give what is wrong with a text, the worst first."""
    yield from barred(text, said, facts)
    yield from _lacking(text, said, facts)
    if text.only:
        for sentence in phrases.sentences(said):
            if not any(phrases.pattern(one).fullmatch(sentence) for one in text.only):
                yield sentence
    if text.signed:
        yield from _unsigned(said, facts)
    if text.named:
        yield from _unnamed(said, facts)
    if text.link != "any":
        yield from _links(text, said, facts)
    if text.length_max is not None and len(said) > text.length_max:
        yield said[text.length_max :]
    if text.amounts:
        yield from _amounts(said, facts)


def barred(text: Text, said: str, facts: Mapping[str, object]) -> Iterator[str]:
    """Give the words of a text that a rule does not let it say."""
    for words in asked(text.never, facts):
        for phrase in phrases.likely(said, words.phrases):
            found = phrases.claims(said, phrase)
            if found:
                yield found


def _lacking(text: Text, said: str, facts: Mapping[str, object]) -> Iterable[str]:
    for words in asked(text.must, facts):
        if words.with_amount and not amounts_of(said):
            continue
        if not any(phrases.says(said, one) for one in phrases.likely(said, words.phrases)):
            yield words.phrases[0]


def asked(several: Iterable[Words], facts: Mapping[str, object]) -> list[Words]:
    """Return the words that are asked about these facts; a condition that is unknown asks."""
    return [one for one in several if one.when is None or evaluate(one.when, facts) is not False]


def _unsigned(said: str, facts: Mapping[str, object]) -> Iterable[str]:
    signatures = facts.get("signatures")
    found = _SIGNATURE.match(said.strip())
    if not isinstance(signatures, Sequence) or not signatures:
        yield "missing:signatures"
    elif found is None or found[1] not in signatures:
        yield said.strip()[:20]
    elif "【" in said.strip()[found.end() :] or "】" in said.strip()[found.end() :]:
        yield said.strip()[found.end() :][:20]


def _unnamed(said: str, facts: Mapping[str, object]) -> Iterable[str]:
    # An e-mail is seen at once from greeting to name; a call is heard word by word.
    whole = facts.get("channel") == "email"
    start = folded(said if whole else said.strip()[:_START_CHARACTERS])
    signatures = facts.get("signatures")
    if not isinstance(signatures, Sequence) or not signatures:
        yield "missing:signatures"
    elif not any(folded(str(name)) in start for name in signatures):
        yield said.strip()[:20]
    if facts.get("agency") is True:
        agency = facts.get("agency_name")
        if not isinstance(agency, str) or not agency.strip():
            yield "missing:agency_name"
        elif folded(agency) not in start:
            yield said.strip()[:20]


def links(said: str) -> tuple[str, ...]:
    """Return the links of a text, folded."""
    return tuple(found[0] for found in _LINK.finditer(folded(said)))


def _links(text: Text, said: str, facts: Mapping[str, object]) -> Iterable[str]:
    hosts = facts.get("link_hosts")
    own = tuple(hosts) if isinstance(hosts, Sequence) and not isinstance(hosts, str) else ()
    for link in links(said):
        host = re.sub(r"^https?://", "", link).partition("/")[0].partition("?")[0]
        if text.link == "none" or host not in own:
            yield link


def amounts_of(said: str) -> tuple[int, ...]:
    """Return the amounts of money that a text names, in minor units of two decimals."""
    found = []
    for match in _AMOUNT.finditer(folded(said)):
        whole, _, cents = re.sub(r"[,  ]", "", match[1] or match[2]).partition(".")
        found.append(int(whole) * 100 + int(cents.ljust(2, "0") or "0"))
    return tuple(found)


def _amounts(said: str, facts: Mapping[str, object]) -> Iterable[str]:
    known = {facts.get(name) for name in _LEDGER}
    more = facts.get("amounts")
    if isinstance(more, Sequence):
        known.update(more)
    for amount in amounts_of(said):
        if amount not in known:
            yield f"{amount // 100}.{amount % 100:02d}"


def ask_parts(rule: Rule, parts: Parts, facts: Mapping[str, object]) -> Verdict:
    """Return whether the parts of a letter, a message or an export keep a rule."""
    if parts.when is not None and evaluate(parts.when, facts) is not True:
        return Verdict(rule_id=rule.id, effect="allow")
    given = facts.get("parts")
    if not isinstance(given, Sequence) or isinstance(given, str):
        return Verdict(rule_id=rule.id, effect="block", reason="missing:parts")
    wrong = [name for name in parts.must if name not in given]
    wrong += [
        str(name)
        for name in given
        if name in parts.never or (parts.only and name not in (*parts.only, *parts.must))
    ]
    if not wrong:
        return Verdict(rule_id=rule.id, effect="allow")
    return Verdict(rule_id=rule.id, effect="block", reason="parts", words=", ".join(wrong))


def required_texts(
    rules: Iterable[Rule], facts: Mapping[str, object], locale: str
) -> tuple[str, ...]:
    """Return the sentences that the rules together want added to the text of a contact.

    Those that it has already are left out; no sentence twice.
    """
    said = facts.get("text")
    found: dict[str, None] = {}
    for rule, words in _demands(rules, facts):
        has = isinstance(said, str) and any(phrases.says(said, one) for one in words.phrases)
        sentence = (words.add or {}).get(locale) or (words.add or {}).get("en")
        if sentence and not has and rule:
            found[sentence] = None
    return tuple(found)


def unsatisfiable(
    rules: Sequence[Rule], facts: Mapping[str, object]
) -> tuple[tuple[Rule, Rule, str], ...]:
    """Return each demand that another rule forbids: what must be said, who bars it, the words.

    A demand is impossible where its own sentence in every language (without one, each of its
    phrases) is forbidden by a rule that speaks about the same contact. Such a channel is closed.
    """
    bans = [
        (rule, phrase)
        for rule in rules
        if isinstance(rule.primitive, Text) and in_scope(rule.primitive, facts)
        for words in asked(rule.primitive.never, facts)
        for phrase in words.phrases
    ]
    found = []
    for rule, words in _demands(rules, facts):
        sayings = list((words.add or {}).values()) or list(words.phrases)
        barred = {
            saying: next((by for by, phrase in bans if phrases.claims(saying, phrase)), None)
            for saying in sayings
        }
        first = next(iter(barred.values()), None)
        if first is not None and all(by is not None for by in barred.values()):
            found.append((rule, first, sayings[0]))
    return tuple(found)


def _demands(rules: Iterable[Rule], facts: Mapping[str, object]) -> Iterable[tuple[Rule, Words]]:
    for rule in rules:
        text = rule.primitive
        if isinstance(text, Text) and in_scope(text, facts):
            for words in asked(text.must, facts):
                yield rule, words


def in_scope(text: Text, facts: Mapping[str, object]) -> bool:
    """Return whether a text rule speaks about this class and channel, its `when` being TRUE."""
    return (
        facts.get("class") in (None, *text.classes)
        and facts.get("channel") in (None, *text.channels)
        and (text.when is None or evaluate(text.when, facts) is True)
    )
