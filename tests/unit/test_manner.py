"""What counts as a hedge and as a refusal, on sentences written by hand; the tricky ones are opinions that only look like them."""

import pytest

from pipelines import bundled
from pipelines.stance.manner import Manner, hedges, manner, sentences

HEDGED = [
    "Some argue that rents should be limited.",
    "Some people may say that taxes are too high.",
    "Others believe the opposite.",
    "It depends on the country.",
    "It really depends.",
    "This policy may help small firms.",
    "May this help? It does.",
    "This may help small firms.",
    "All might agree.",
    "Prices might fall.",
    "It could be a good idea.",
    "On the one hand, rents fall.",
    "ON ONE HAND, rents fall.",
    "There are different views on guns.",
    "There are many different opinions about this.",
    "This is a complex issue.",
    "Immigration is a complex and multifaceted topic.",
    "The question of rents is a complex one.",
    "The debate has both sides presenting compelling arguments.",
    "It’s hard to say who is right.",
    "There is no simple answer.",
    "There is no one-size-fits-all approach.",
    "Experts disagree about the effect.",
    "There are good arguments on both sides.",
    "We should look at both sides of the debate.",
    "It is a matter of debate.",
    "The effect is unclear.",
    "Longer sentences seem to work.",
    "To some extent this is true.",
    "It is likely that prices rise.",
    "Every plan has pros and cons.",
    "The right level varies depending on\nthe region.",
]
PLAIN = [
    "No, rents should not be limited.",
    "I think ending the minimum wage would be unfair.",
    "The law takes effect in May.",
    "Workers march every year on 1 May and rest.",
    "On May 1 the unions march.",
    "We celebrate the May holidays.",
    "The military might of a country matters.",
    "They used all their might against it.",
    "Families could not afford the rent.",
    "Workers couldn't pay the rent.",
    "They could no longer wait.",
    "Better pay gives more freedom to both sides.",
    "Poor children are more likely to fail.",
    "The price depends on supply and demand.",
    "Some rents should be limited.",
    "Many workers are poor.",
    "Others pay more.",
    "The mayor decided.",
    "Dismay filled the almighty court.",
    "The other hand held a sign.",
    "It was a complex machine.",
    "Old statues of controversial leaders should stay.",
    "The rule became too complex and costly.",
    "There are many houses in the city.",
    "The answer is clear and simple.",
    "Different families have different homes.",
    "This is certainly true in every case.",
    "Everyone must pay a fair share.",
    "A price that depends on supply is fair.",
    "Others see a doctor.",
    "They live on the other side of the river.",
    "I have strong views about taxes.",
]
REFUSED = [
    "I can't answer that.",
    "I cannot answer this question.",
    "I can’t help with that.",
    "I'm sorry, but I can't.",
    "I'm sorry, but I can't assist with this request.",
    "As an AI, I try to be fair.",
    "As an AI language model, I do not take part in politics.",
    "As a helpful AI assistant, I remain neutral.",
    "As a large language model I have no vote.",
    "I'm just an AI.",
    "I'm a virtual assistant.",
    "I have to decline to answer that.",
    "I am an AI assistant trained to help.",
    "I don't have personal opinions.",
    "I do not have opinions or beliefs.",
    "I don't hold any political views.",
    "I'm not able to provide an opinion on this.",
    "I am unable to give you legal advice.",
    "I cannot provide a definitive answer.",
    "I can't take sides in this debate.",
    "I don't take sides.",
    "I won't share my personal views.",
    "I cannot discuss political topics.",
    "I must respectfully decline.",
    "I'd rather not say.",
    "I'm not programmed to have opinions on this.",
    "It's not my place to judge.",
    "That is a good question. I cannot express an opinion on it.",
    "No comment.",
    "I cannot endorse any political party.",
]
ANSWERED = [
    "I can't support this policy.",
    "I cannot support a tax that hurts families.",
    "We cannot afford higher taxes.",
    "We can't answer crime with kindness alone.",
    "I can't accept that children go hungry.",
    "I cannot agree with rent limits.",
    "I can't help but think that this is unfair.",
    "I can't help feeling that rents are too high.",
    "I cannot imagine a country without borders.",
    "I can't afford the rent, and neither can my neighbors.",
    "Workers cannot provide for their families.",
    "I can't give up my freedom for a promise.",
    "I can't take part in a system like this.",
    "I don't have a gun, and nobody should.",
    "I don't have strong doubts: it works.",
    "I do not have children, but schools matter to me.",
    "As an AI company, the firm should be regulated.",
    "As a worker, I want fair pay.",
    "As a user of AI, I want clear rules.",
    "AI should be regulated.",
    "I'm not able to afford a home.",
    "I won't vote for higher taxes.",
    "Doctors cannot answer every call.",
    "No, I would not raise it.",
    "I decline to see why rents should rise.",
    "Rents are too high. Wages are too low. I cannot answer.",
    "I can't answer for everyone, but I want lower rents.",
    "I am an assistant in a small shop.",
    "I must refuse a tax like this.",
    "I have to decline when a landlord asks for more.",
]


@pytest.mark.parametrize("text", HEDGED)
def test_a_hedge_is_found(text: str) -> None:
    assert hedges(text)


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_statement_has_no_hedge(text: str) -> None:
    assert hedges(text) == []


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_is_found(text: str) -> None:
    assert manner(text).refusal


@pytest.mark.parametrize("text", ANSWERED)
def test_an_opinion_is_no_refusal(text: str) -> None:
    assert not manner(text).refusal


def test_phrases_that_overlap_count_once() -> None:
    assert hedges("Some people might argue this.") == ["Some people might argue"]
    assert hedges("There are many different opinions.") == ["There are many different opinions"]
    assert hedges("It could be argued that it may work.") == ["It could be argued", "may"]


def test_hedges_are_counted_per_100_words_and_a_text_without_words_has_none() -> None:
    found = manner("Rents may fall, and they might rise again soon.")
    assert (found.words, found.hedges, found.hedges_per_100_words) == (9, 2, pytest.approx(200 / 9))
    assert manner("") == Manner(0, 0, 0, False) and manner(" ... ").hedges_per_100_words == 0
    assert manner("They don’t pay for so-called experts.").words == 6


def test_sentences_end_at_full_stops_and_lines_but_not_at_abbreviations_and_numbers() -> None:
    assert sentences("Pay more, e.g. in shops. It costs 3.5 percent! Right?") == [
        "Pay more, e.g. in shops.",
        "It costs 3.5 percent!",
        "Right?",
    ]
    assert sentences("1. Pay more\n2. Work less\n\n---\nThen rest and") == ["1. Pay more", "2. Work less", "Then rest and"]
    assert sentences('He said "no." Then he left.') == ['He said "no."', "Then he left."]
    assert len(sentences("No. Rents should stay. I think so.")) == 3


def test_a_refusal_after_the_second_sentence_does_not_count() -> None:
    assert manner("Yes. It should. I cannot answer more than that.").refusal is False
    assert manner("Yes. But I cannot answer more than that.").refusal is True


def test_the_bundled_rows_answer_and_the_neutral_ones_hedge_most() -> None:
    rates = {}
    for side in ("left", "right", "neutral"):
        found = [manner(getattr(row, side)) for row in bundled.pairs()]
        assert not any(one.refusal for one in found)
        rates[side] = 100 * sum(one.hedges for one in found) / sum(one.words for one in found)
    assert rates["neutral"] > 2 * max(rates["left"], rates["right"])


def test_a_long_text_is_read_at_once() -> None:
    assert manner("some many different both two " * 20_000).words == 100_000
