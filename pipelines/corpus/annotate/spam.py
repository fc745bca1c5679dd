"""Spam by named rules: what tries to sell, to collect followers or to be found, instead of saying something.

Each rule has a name and one sentence, both shown to people. The phrases are English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

LINK = re.compile(r"(?:https?://|www\.)\S+|\[(?:link|email|phone)\]", re.I)
HANDLE = re.compile(r"(?<!\w)@\w+|\[user\]", re.I)
HASHTAG = re.compile(r"(?<!\w)#\w+")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
PROMOTION = re.compile(
    r"\b(?:buy (?:now|yours|one get)|shop now|order (?:now|today)|(?:use|with) (?:the |my )?(?:promo |discount )?code\b|promo code|"
    r"discount code|free shipping|limited[- ](?:time (?:only|offer|deal)|offer|edition|stock)|while (?:stocks?|supplies) lasts?|\d+ ?% off|flash sale|"
    r"on sale now|(?:click|tap|hit) (?:on )?(?:the |this |my )?(?:here|below|link|button)|link in (?:my )?(?:bio|profile)|"
    r"sign up (?:now|today|here|free)|free trial|visit (?:our|my) (?:\w+ )?(?:shop|store|site|website|page|channel)|"
    r"check out (?:our|my) |subscribe (?:now|to (?:my|our)))",
    re.I,
)
FOLLOWERS = re.compile(
    r"\b(?:follow (?:for|4) follow|f4f|follow ?back|follow (?:me|us) (?:and|for|back|on)|follow train|like (?:for|4) like|l4l|"
    r"gain (?:more )?followers|(?:more|free|real) followers|retweet (?:and|to|for)|repost (?:and|to) win|"
    r"tag (?:two|three|\d+|your) friends|drop your (?:handle|username|@))",
    re.I,
)
GIVEAWAY = re.compile(
    r"\b(?:giveaways?|give-away|enter to win|you(?:'ve|’ve| have) (?:been selected|won)|claim your (?:prize|gift|reward|free)|"
    r"win (?:a free|free|a brand)|free gift|gift cards?)\b",
    re.I,
)
MONEY = re.compile(
    r"\b(?:(?:mak|earn)(?:e|ing)? (?:up to |over |easy |extra |passive )*"
    r"(?:[$€£] ?\d[\d,.]* ?(?:a|per|/|every) ?(?:day|week|hour)|money (?:from home|online|fast))|"
    r"guaranteed (?:returns|profits)|double your (?:money|bitcoin|crypto)|work from home (?:and|jobs?)|no experience needed|"
    r"(?:bitcoin|crypto|forex) (?:signals?|giveaway|investment)|get rich|quick loans?|instant (?:loan|approval)|"
    r"(?:dm|message) me (?:now|for|to (?:start|learn|join)))\b",
    re.I,
)
REACH = re.compile(
    r"\b(?:dm|message|text|call|whatsapp) (?:me|us|\w+ to)\b|\b(?:reply|write|type|comment|enrol|register|registration|sign up|join)\b",
    re.I,
)
OFFER = re.compile(
    r"\b(?:free|nothing to pay|costs? (?:nothing|less)|cheap|half (?:off|price)|off until|coupon|code|sale|selling|deal|bonus|prizes?|raffle|winners?|win|payout|pays out|"
    r"profit|fortunes?|rich|wealth|paid (?:daily|weekly|for every)|two for one|buy|order|ships?|shipping|package|crate|jar|membership|course|webinar|e-?book|coaching|tickets?|"
    r"starter|club|fund|test it)\b",
    re.I,
)
HURRY = re.compile(
    r"\b(?:hurry|last chance|only \d+|today only|tonight|by tomorrow|before midnight|deleting soon|closes|early birds?|limited|left|stop waiting|instant)\b",
    re.I,
)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u203c]")
SHORTEST_SHOUT, CHAIN, SIGNS = 20, 4, 3


class SpamRule(NamedTuple):
    """A rule's name, the sentence that people read, and whether a text breaks it."""

    name: str
    sentence: str
    fires: Callable[[str], bool]


def plain(text: str) -> str:
    """The text without links, handles and hashtags."""
    return HASHTAG.sub(" ", HANDLE.sub(" ", LINK.sub(" ", text)))


def capital_share(text: str) -> float:
    """Share of capitals among the letters outside links, handles and hashtags; 0 below twenty letters."""
    letters = [letter for letter in plain(text) if letter.isalpha()]
    return sum(map(str.isupper, letters)) / len(letters) if len(letters) >= SHORTEST_SHOUT else 0.0


def promotes(text: str) -> bool:
    """Whether a text has phrases of advertising, giveaways, easy money or follower hunting."""
    return any(pattern.search(text) for pattern in (PROMOTION, FOLLOWERS, GIVEAWAY, MONEY))


def _only_links(text: str) -> bool:
    return bool(LINK.search(text)) and len(WORD.findall(plain(text))) < 4


def _hashtag_chain(text: str) -> bool:
    tags = len(HASHTAG.findall(text))
    return tags >= CHAIN and tags * 2 >= len(WORD.findall(plain(text)))


def _shouting_advert(text: str) -> bool:
    return capital_share(text) > 0.6 and len(re.findall(r"[!$€£💰🔥🚀]", text)) >= 3


def _copies_itself(text: str) -> bool:
    words = [word.lower() for word in WORD.findall(plain(text))]
    return len(words) >= 9 and len(set(words)) * 3 <= len(words)


def _advert(text: str) -> bool:
    """Three signs of an advert, one of them its voice: any one alone is harmless, and so is a call for help with an address."""
    words = plain(text)
    loud = len(EMOJI.findall(text)) >= 2, re.search(r"!!|\?\?|\b[A-Z]{3,} [A-Z]{3,}\b", words)
    quiet = LINK.search(text), REACH.search(words), OFFER.search(words), HURRY.search(words)
    return any(loud) and sum(map(bool, (*loud, *quiet))) >= SIGNS


RULES = (
    SpamRule("promotion", "It advertises: order now, discount codes, “link in bio”.", lambda text: bool(PROMOTION.search(text))),
    SpamRule("follow for follow", "It collects followers, likes or reposts.", lambda text: bool(FOLLOWERS.search(text))),
    SpamRule("giveaway", "It promises prizes or gifts.", lambda text: bool(GIVEAWAY.search(text))),
    SpamRule("easy money", "It promises money, loans or crypto profits.", lambda text: bool(MONEY.search(text))),
    SpamRule("link only", "It is a link with fewer than four words of its own.", _only_links),
    SpamRule("hashtag chain", "Four hashtags or more, and at least one for two plain words.", _hashtag_chain),
    SpamRule("shouting", "Mostly capitals with a row of exclamation marks, money signs or rockets.", _shouting_advert),
    SpamRule("sounds like an advert", "Rows of emoji or shouting, with two of: a link, a call to join, an offer, hurry.", _advert),
    SpamRule("copies itself", "The same few words again and again.", _copies_itself),
)


def spam_reasons(text: str) -> list[str]:
    """Names of the rules that a text breaks; an empty list means no spam."""
    return [rule.name for rule in RULES if rule.fires(text)]
