import re
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from index.build import update
from index.calibration import DEFAULT_SCALE, CosineScale
from index.embed.sentence_transformers import SentenceEmbedder
from index.query import Query
from index.scoring import LEXICAL_WEIGHT, TermFrequencies
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexMismatchError, IndexNotBuiltError
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.times import play_url
from ingest.transcripts.importing import read_transcript
from tests.fakes import BagOfWords

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
MODES = ("hybrid", "vector", "text")

PRICES = Episode(
    "selling-well", "guid/1?a=b", "On prices", published="Thu, 20 Feb 2025 09:00:00 +0100",
    link="https://podcast.example/1", audio_url="https://podcast.example/1.mp3?x=1",
)  # fmt: skip
PRICED = (
    Segment(0.0, 4.0, "Welcome back to the show.", "Ann"),
    Segment(4.0, 9.25, "Raise your prices before the quarter ends.", "Ben"),
    Segment(9.25, 12.0, "That takes nerve.", "Ann"),
)
HIRING = Episode("people", "guid/2", "On hiring", published="Fri, 21 Feb 2025 09:00:00 +0000")
HIRED = (Turn("Hire slowly and let people go kindly.", "Eve"), Turn("Nobody raises a child that way.", "Ann"))


def fill(home, model, *transcripts):
    library, store = Library(home / "library"), Store(home / "index")
    for transcript in transcripts:
        library.write(transcript)
    update(library, store, model)
    return Searcher(store, model)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    turns = tuple(Turn(segment.text, segment.speaker) for segment in PRICED)
    return fill(
        tmp_path_factory.mktemp("home"), BagOfWords(), Transcript(PRICES, turns, PRICED), Transcript(HIRING, HIRED)
    )


def test_a_hit_holds_all_that_a_reader_and_a_player_need(searcher):
    hit = asdict(searcher.search(Query("raise prices")).hits[0])
    assert hit.pop("score") > 0
    assert {"vector", "text", "rerank"} == hit.pop("scores").keys()
    assert hit.pop("address") == f"/v1/passages/{hit['id']}"
    assert hit.pop("id").startswith(f"{PRICES.key}-0-15-")
    assert [(turn["speaker"], turn["text"], turn["start"]) for turn in hit.pop("turns")] == [
        (segment.speaker, segment.text, segment.start) for segment in PRICED
    ]
    assert {
        "rank": 1,
        "podcast_title": "selling-well",
        "provenance": {"source": "", "model": "", "flag": ""},
        "before": (),
        "after": (),
        "podcast": "selling-well",
        "episode_id": "guid/1?a=b",
        "key": PRICES.key,
        "title": "On prices",
        "published": "2025-02-20T08:00:00Z",
        "passage": {
            "text": "Ann: Welcome back to the show.\n\nBen: Raise your prices before the quarter ends.\n\n"
            "Ann: That takes nerve.",
            "speaker": "Ann",
            "start": 0.0,
            "end": 12.0,
        },
        "answer": {
            "text": "Raise your prices before the quarter ends.",
            "speaker": "Ben",
            "start": 4.0,
            "end": 9.25,
        },
        "link": "https://podcast.example/1",
        "audio_url": "https://podcast.example/1.mp3?x=1",
        "play_url": "https://podcast.example/1.mp3?x=1#t=2,12",
        "highlights": ((37, 42), (48, 54)),
        "approximate": False,
        "advert": False,
        "language": "en",
        "moments": 1,
        "more": (),
    } == hit
    assert ["Raise", "prices"] == [hit["passage"]["text"][begin:end] for begin, end in hit["highlights"]]


def test_unknown_times_and_dates_are_null(searcher):
    hit = searcher.search(Query("hire slowly", podcast="people")).hits[0]
    assert (None, None, "") == (hit.answer.start, hit.passage.end, hit.play_url)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_finds_the_passage_and_scores_what_it_looked_at(searcher, mode):
    hit = searcher.search(Query("hire slowly", mode=mode)).hits[0]
    assert "guid/2" == hit.episode_id
    assert (mode != "text", mode != "vector") == (hit.scores.vector is not None, hit.scores.text is not None)


def test_scores_fall_from_rank_to_rank(searcher):
    hits = searcher.search(Query("raise people")).hits
    assert [1, 2] == [hit.rank for hit in hits]
    assert hits[0].score >= hits[1].score


def test_the_limit_limits(searcher):
    assert 1 == len(searcher.search(Query("raise", limit=1)).hits)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"podcast": "people"}, {"guid/2"}),
        ({"podcast": "Selling Well"}, {"guid/1?a=b"}),
        ({"podcast": "nobody's"}, set()),
        ({"speaker": " EVE "}, {"guid/2"}),
        ({"language": "English"}, {"guid/1?a=b", "guid/2"}),
        ({"language": "de"}, set()),
        ({"speaker": "Nobody"}, set()),
        ({"since": date(2025, 2, 21)}, {"guid/2"}),
        ({"until": date(2025, 2, 20)}, {"guid/1?a=b"}),
        ({"since": date(2025, 2, 20), "until": date(2025, 2, 21)}, {"guid/1?a=b", "guid/2"}),
        ({"until": datetime(2025, 2, 20, 8, tzinfo=UTC)}, {"guid/1?a=b"}),
        ({"until": datetime(2025, 2, 20, 7, 59, 59, tzinfo=UTC)}, set()),
        ({"podcast": "people", "speaker": "ann", "since": date(2025, 2, 21)}, {"guid/2"}),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_filters_restrict_the_hits_in_every_mode(searcher, filters, expected, mode):
    found = searcher.search(Query("raises raise hire people nerve", mode=mode, **filters)).hits
    assert expected == {hit.episode_id for hit in found}


def test_a_speaker_asked_for_is_who_speaks_the_answer(searcher):
    assert (
        "Ann"
        == searcher.search(Query("raise your prices", speaker="ann", podcast="selling-well")).hits[0].answer.speaker
    )


def test_a_speaker_is_told_apart_in_every_chunk(searcher):
    hits = searcher.search(Query("raise a child, raise prices", speaker="ann")).hits
    assert {("guid/1?a=b", "Ann"), ("guid/2", "Ann")} == {(hit.episode_id, hit.answer.speaker) for hit in hits}


def test_words_that_everybody_says_count_less_beside_vectors():
    everywhere = TermFrequencies(1000, 100_000, {"make": 990, "actual": 950, "quota": 3})
    assert everywhere.lexical_weight(["make", "actual"]) < 0.1 * LEXICAL_WEIGHT
    assert LEXICAL_WEIGHT == everywhere.lexical_weight(["quota", "clawback", "spiff"])
    assert [True, False] == [everywhere.is_common(term) for term in ("make", "quota")]
    few = TermFrequencies(5, 500, {"quota": 1, "make": 5})
    assert not few.is_common("make")
    assert everywhere.lexical_weight(["quota"]) < LEXICAL_WEIGHT == few.lexical_weight(["quota", "clawback", "spiff"])


def test_the_limit_changes_nothing_but_where_the_list_ends(searcher):
    every = searcher.search(Query("raise hire people prices", limit=100)).hits
    for limit in range(1, len(every)):
        assert every[:limit] == searcher.search(Query("raise hire people prices", limit=limit)).hits


def test_hits_can_be_grouped_by_episode(tmp_path):
    def told(guid, *said):
        turns = tuple(Turn(" ".join([f"Price {one}."] + [f"Filler {one} {n}." for n in range(60)])) for one in said)
        return Transcript(replace(PRICES, guid=guid, title=guid), turns)

    searcher = fill(tmp_path, BagOfWords(), told("many", *range(8)), told("one", 99))
    plain = searcher.search(Query("price", 100, "text")).hits
    assert {(1, ())} == {(hit.moments, hit.more) for hit in plain}
    grouped = searcher.search(Query("price", mode="text", group_by="episode")).hits
    assert ["many", "one"] == sorted(hit.title for hit in grouped)
    many = next(hit for hit in grouped if hit.title == "many")
    assert (sum(hit.title == "many" for hit in plain), 4) == (many.moments, len(many.more))
    assert [1, 2] == [hit.rank for hit in grouped]
    assert 5 == len({hit.answer.text for hit in (many, *many.more)})
    (first,) = searcher.search(Query("price", limit=1, mode="text", group_by="episode")).hits
    assert first == grouped[0]


@pytest.mark.parametrize(
    "query", ["' OR 1=1 --", "prices AND (", '"raise', "a" * 1000, "東京", "raise\0prices", "🙂 prices"]
)
def test_any_other_text_can_be_asked(searcher, query):
    assert query == searcher.search(Query(query)).query


def test_a_question_of_stop_words_alone_has_no_words_to_match(searcher):
    assert () == searcher.search(Query("to be or not to be", mode="text")).hits
    assert searcher.search(Query("to be or not to be")).hits


def test_an_answer_is_weak_where_nothing_comes_near(searcher):
    assert searcher.search(Query("quantum chromodynamics")).weak
    assert not searcher.search(Query("raise your prices before the quarter ends")).weak


def test_weak_depends_on_what_the_models_cosines_mean(searcher):
    strict = BagOfWords()
    strict.cosine_scale = CosineScale(0.9, 0.08)
    assert Searcher(searcher.store, strict).search(Query("raise your prices before the quarter ends")).weak
    assert (
        not Searcher(searcher.store, strict)
        .search(Query("raise your prices before the quarter ends", mode="text"))
        .weak
    )


class Narrow(BagOfWords):
    """Gives all texts cosines of .6 to 1, as models of the kind of E5 do."""

    dimension = BagOfWords.dimension + 1
    cosine_scale = CosineScale(0.6 + 0.4 * DEFAULT_SCALE.mean, 0.4 * DEFAULT_SCALE.deviation)

    def embed_query(self, text):
        own = BagOfWords().embed_query(text)
        return np.append(own * 0.4**0.5, 0.6**0.5).astype(np.float32)

    def embed_queries(self, texts):
        return np.stack([self.embed_query(text) for text in texts])


@pytest.mark.parametrize("question", ["raise prices", "who leaves first and why?", "quantum chromodynamics"])
def test_a_model_whose_cosines_lie_close_together_gives_the_same_answer(searcher, tmp_path, question):
    turns = tuple(Turn(segment.text, segment.speaker) for segment in PRICED)
    narrow = fill(tmp_path, Narrow("narrow"), Transcript(PRICES, turns, PRICED), Transcript(HIRING, HIRED))
    wanted, found = (one.search(Query(question)) for one in (searcher, narrow))
    assert [hit.id for hit in wanted.hits] == [hit.id for hit in found.hits]
    assert [hit.score for hit in wanted.hits] == pytest.approx([hit.score for hit in found.hits], abs=0.03)
    assert wanted.weak == found.weak


def test_overlapping_passages_become_one_hit(tmp_path):
    said = " ".join(f"Sentence {n} tells of parrots and of price {n}." for n in range(60))
    searcher = fill(tmp_path, BagOfWords(), Transcript(PRICES, (Turn(said),)))
    hits = searcher.search(Query("parrots price", limit=100)).hits
    numbers = [set(re.findall(r"price (\d+)", hit.passage.text)) for hit in hits]
    assert len(hits) > 2
    assert all(len(a & b) <= 0.6 * min(len(a), len(b)) for a, b in combinations(numbers, 2))


def test_nothing_indexed_says_what_to_run(tmp_path):
    with pytest.raises(IndexNotBuiltError, match="soundbite run"):
        Searcher(Store(tmp_path / "index"), BagOfWords()).search(Query("why"))
    with pytest.raises(IndexNotBuiltError, match="soundbite run"):
        fill(tmp_path, BagOfWords()).search(Query("why"))


def test_another_model_is_refused_but_words_are_still_found(searcher):
    other = Searcher(searcher.store, BagOfWords("another"))
    with pytest.raises(IndexMismatchError, match="soundbite index --rebuild"):
        other.search(Query("raise prices"))
    assert other.search(Query("raise prices", mode="text")).hits


def test_a_searcher_follows_a_rebuild(tmp_path):
    searcher = fill(tmp_path, BagOfWords(), Transcript(HIRING, HIRED))
    assert searcher.search(Query("hire")).hits
    update(Library(tmp_path / "library"), Store(tmp_path / "index"), BagOfWords(), rebuild=True)
    assert searcher.search(Query("hire")).hits


@pytest.mark.parametrize(
    ("audio_url", "start", "end", "expected"),
    [
        ("https://a.example/1.mp3", 61.5, 75.0, "https://a.example/1.mp3#t=61.5,75"),
        ("https://a.example/1.mp3?b=c#t=5", 0.0, 0.126, "https://a.example/1.mp3?b=c#t=0,0.13"),
        ("https://a.example/1.mp3", 100.0, None, "https://a.example/1.mp3#t=100"),
        ("https://a.example/1.mp3", 100.0, 100.0, "https://a.example/1.mp3#t=100"),
        ("https://a.example/1.mp3", None, None, "https://a.example/1.mp3"),
        ("", 1.0, 2.0, ""),
    ],
)
def test_a_link_plays_the_passage(audio_url, start, end, expected):
    assert expected == play_url(audio_url, start, end)


# -- the real model

MEETING = (
    "We cancelled the Monday meeting. Everybody writes three lines about the week instead, and reads the others' lines.",
    "Our best account executive wanted to quit, so I asked what she would love to learn, and she now trains new hires.",
    "The discount nearly ruined us: customers who paid least complained most and left first.",
    "It rained all spring and the garden never dried, which the frogs enjoyed.",
)
OWN_QUESTIONS = {
    "how can we avoid status calls?": "three lines about the week",
    "keeping a top salesperson who wants to leave": "what she would love to learn",
    "are cheap clients worth having?": "customers who paid least complained",
    "wet weather and animals": "the frogs enjoyed",
}


@pytest.fixture(scope="module")
def model(encoder):
    return SentenceEmbedder("all-MiniLM-L6-v2", encoder)


def test_questions_in_other_words_find_their_passage(model, tmp_path):
    talks = [Transcript(replace(PRICES, guid=f"g{n}"), (Turn(said, "Ann"),)) for n, said in enumerate(MEETING)]
    searcher = fill(tmp_path, model, *talks)
    for question, phrase in OWN_QUESTIONS.items():
        assert phrase in searcher.search(Query(question)).hits[0].passage.text, question


KREMER, KAZANJY = "Kremer", "Kazanjy"
PUSH = "how do I push my top performers without losing them?"
HALF = "why are reps working at half speed since zero interest rates and work from home?"
ON_THE_SEEDS = {
    "what are the four parts of a pre frame": (KREMER, "break down the pre frame into four main components"),
    "carrots for the best people": (KREMER, "motivated by carrots"),
    "what is the one bad habit leaders should drop": (KREMER, "Stop acting like you know everything"),
    "goals exercise with four quadrants": (KREMER, "four quadrant exercise"),
    "heaven and hell in discovery": (KREMER, "heaven and the hell"),
    "convertible with the top up": (KREMER, "driving a convertible"),
    "Federal Reserve dropped rates after the financial crisis": (KAZANJY, "Federal Reserve dropped interest rates"),
    "is working remotely harmful for junior salespeople?": (KAZANJY, "corrosive to"),
    "age limit at car rental companies": (KAZANJY, "car rental companies"),
    "remote learning during COVID": (KAZANJY, "remote learning during COVID"),
}


@pytest.fixture(scope="module")
def seeds(model, tmp_path_factory):
    if not SEEDS.is_dir():
        pytest.skip("the two seed transcripts are not beside this checkout")
    return fill(
        tmp_path_factory.mktemp("seeds"), model, *(read_transcript(path) for path in sorted(SEEDS.glob("*.txt")))
    )


@pytest.mark.parametrize("mode", MODES)
def test_the_seeds_answer_their_questions_in_every_mode(seeds, mode):
    assert KREMER in seeds.search(Query(PUSH, mode=mode)).hits[0].title
    hit = seeds.search(Query(HALF, mode=mode)).hits[0]
    assert (True, "Speaker 2") == (KAZANJY in hit.title, hit.answer.speaker)


@pytest.mark.parametrize(("question", "answer"), ON_THE_SEEDS.items())
def test_the_seeds_answer_with_the_passage(seeds, question, answer):
    title, phrase = answer
    hits = seeds.search(Query(question, limit=5)).hits
    assert title in hits[0].title
    assert any(phrase in hit.passage.text for hit in hits), [hit.answer.text for hit in hits]


def test_adverts_rank_low_unless_asked_for_and_say_so(tmp_path):
    sold = "This episode is brought to you by Parrot, the trainer. What do parrots learn of prices? Learn more at parrot.example.com."
    told = "Parrots learn slowly. What do they care for prices? Mine never learned what a price is, in all those years."
    searcher = fill(
        tmp_path, BagOfWords(), Transcript(PRICES, (Turn(sold, "Ann"),)), Transcript(HIRING, (Turn(told, "Eve"),))
    )
    asked = "what do parrots learn of prices"
    assert [False, True] == [hit.advert for hit in searcher.search(Query(asked)).hits]
    first = searcher.search(Query(asked, adverts=True)).hits[0]
    assert (True, "On prices") == (first.advert, first.title)


def test_the_end_of_a_short_episode_is_offered_too(tmp_path):
    said = " ".join(f"Parrots of kind {n} talk of price {n} and of little else all day." for n in range(22))
    hits = fill(tmp_path, BagOfWords(), Transcript(PRICES, (Turn(said),))).search(Query("parrots and prices")).hits
    offered = {int(n) for hit in hits for n in re.findall(r"kind (\d+)", hit.passage.text)}
    assert set(range(22)) == offered


@pytest.mark.parametrize("mode", ["text", "hybrid"])
def test_the_opposite_of_a_statement_is_another_statement(tmp_path, mode):
    said = ("You should not give discounts to loyal customers.", "You should give discounts to loyal customers.")
    made = [
        Transcript(Episode("neg", f"g{n}", f"Neg {n}"), (Turn(f"{one} It is known {n}.", "Ann"),))
        for n, one in enumerate(said)
    ]
    hits = fill(tmp_path, BagOfWords(), *made).search(Query("give discounts to loyal customers", mode=mode)).hits
    assert {"Neg 0", "Neg 1"} == {hit.title for hit in hits}


def test_an_answer_without_hits_is_weak_in_every_mode(searcher):
    assert all(searcher.search(Query("raise", mode=mode, podcast="nobody's")).weak for mode in MODES)
    assert not searcher.search(Query("raise prices", mode="text")).weak


TALKS = {
    "Product market fit": "We found product market fit in a year. Then the market for the product grew.",
    "90. Markets": "The market fits the product, and the onboarding of new people takes weeks.",
    "Weekly talks": "A one-on-one is for the person. I follow up within 1,000 minutes, says the follow-up rule.",
    "Boards": "We had a person on board for one hour on one day. She paid $5 million, for 90 days.",
}


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    made = [
        Transcript(
            Episode("talks", title, title), (Turn(said, "Lenny Rachitsky"), Turn("Thanks for it.", f"Guest {n}"))
        )
        for n, (title, said) in enumerate(TALKS.items())
    ]
    return fill(tmp_path_factory.mktemp("talks"), BagOfWords(), *made)


def titles(talks, text, **options):
    return [hit.title for hit in talks.search(Query(text, **options)).hits]


@pytest.mark.parametrize("mode", ["text", "hybrid"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"product market fit"', ["Product market fit"]),
        ("“market fits” why", ["Product market fit", "90. Markets"]),
        ('"the market" "the product"', ["Product market fit", "90. Markets"]),
        ('"follow up" rule', ["Weekly talks"]),
        ('"one on one"', ["Weekly talks"]),
        ('"zebra market"', []),
    ],
)
def test_what_is_quoted_is_in_every_hit(talks, text, expected, mode):
    assert set(expected) == set(titles(talks, text, mode=mode))


def test_meaning_alone_takes_no_notice_of_quotes(talks):
    with_quotes, without = (talks.search(Query(text, mode="vector")).hits for text in ('"product fit"', "product fit"))
    assert [hit.key for hit in without] == [hit.key for hit in with_quotes]
    assert 4 == len(titles(talks, 'product" fit', mode="hybrid"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on-boarding", ["90. Markets"]), ("on boarding", ["90. Markets", "Boards"]), ("one on ones", ["Weekly talks"]),
        ("1:1", ["Weekly talks"]), ("followup", ["Weekly talks"]), ("1000", ["Weekly talks"]), ("1k", ["Weekly talks"]),
        ("$5M", ["Boards"]), ("90 day", ["Boards"]), ("5,000,000", ["Boards"]),
    ],
)  # fmt: skip
def test_compounds_and_numbers_find_each_other_and_no_number_of_an_episode(talks, text, expected):
    assert set(expected) == set(titles(talks, text, mode="text"))


def test_phrases_and_words_that_say_something_are_highlighted(talks):
    [hit] = talks.search(Query('what is "product market fit" in my year', mode="text")).hits
    assert ["product market fit", "year", "market", "product"] == [hit.passage.text[a:b] for a, b in hit.highlights]
    [hit] = talks.search(Query("how do I follow-up", mode="text")).hits
    assert ["follow up", "follow-up"] == [hit.passage.text[a:b] for a, b in hit.highlights]


@pytest.mark.parametrize("name", ["rachitsky", "LENNY", " lenny  RACHITSKY "])
def test_a_speaker_is_found_by_words_of_the_name(talks, name):
    hits = talks.search(Query("market", speaker=name)).hits
    assert {"Lenny Rachitsky"} == {hit.answer.speaker for hit in hits}


def test_a_speaker_whom_nobody_knows_is_said_with_names_close_to_it(talks):
    answer = talks.search(Query("market", speaker="Rachitski"))
    assert ((), ("Nobody called 'Rachitski' speaks in what is indexed; did you mean Lenny Rachitsky?",)) == (
        answer.hits, answer.notes,
    )  # fmt: skip
    assert ("Nobody called 'Zoltan' speaks in what is indexed",) == talks.search(
        Query("market", speaker="Zoltan")
    ).notes


@pytest.mark.parametrize("mode", MODES)
def test_a_typing_error_is_corrected_and_said(talks, mode):
    answer = talks.search(Query("onbording of persons", mode=mode))
    assert "onboarding of persons" == answer.suggestion
    assert "90. Markets" == answer.hits[0].title
    assert "" == talks.search(Query("onboarding", mode=mode)).suggestion


WORLD = {
    "zh": "去年春天我们把面包房搬到了港口。量子计算机在未来十年会改变密码学。我们应该怎样保护用户的隐私。",
    "ja": "去年の春、私たちはパン屋を港に移しました。登山のときは必ず水を持って行ってください。",
    "ko": "항구의 빵집에 오신 것을 환영합니다. 새 오븐은 빵을 굽습니다.",
    "th": "ยินดีต้อนรับสู่ร้านขนมปังที่ท่าเรือ เตาอบใหม่",
    "de": "Der neue Backofen schafft vierhundert Brote in der Nacht. Die Straßenbahn fährt mit der Gesellschaft.",
    "en": "Welcome to the bakery at the harbour. The new oven bakes four hundred loaves.",
}


class English(BagOfWords):
    """Knows English words; any other text is as near to it as the next."""

    def embed_query(self, text):
        return super().embed_query(text if text.isascii() else "zzz")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = [Transcript(Episode("world", name, name), (Turn(said),)) for name, said in WORLD.items()]
    return fill(tmp_path_factory.mktemp("world"), English("all-MiniLM-L6-v2@1"), *made)


@pytest.mark.parametrize("mode", ["text", "hybrid"])
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("量子计算机", "zh"), ("隐私", "zh"), ("パン屋", "ja"), ("水", "ja"), ("오븐", "ko"), ("เตาอบ", "th"),
        ("Ofen", "de"), ("STRASSENBAHN", "de"), ("brot", "de"), ("oven", "en"), ("loaf of bakeries", "en"),
    ],
)  # fmt: skip
def test_words_are_found_in_every_language(world, text, language, mode):
    answer = world.search(Query(text, mode=mode))
    assert language == answer.hits[0].title == answer.hits[0].language
    assert text.isascii() or not answer.weak


@pytest.mark.parametrize("language", WORLD)
def test_a_hit_reads_as_the_transcript_does(world, language):
    (hit,) = world.search(Query(WORLD[language][:60], mode="text", language=language)).hits
    assert [WORLD[language]] == [hit.passage.text, *{turn.text for turn in hit.turns} - {hit.passage.text}]
    assert hit.answer.text in WORLD[language]


def test_where_the_model_knows_no_such_script_words_decide_and_the_answer_says_so(world):
    answer = world.search(Query("火星旅行"))
    assert answer.weak
    assert ["SOUNDBITE_EMBEDDING_MODEL" in note for note in answer.notes] == [True]
    assert not world.search(Query("量子计算机")).weak
    assert () == world.search(Query("oven")).notes
    assert () == world.search(Query("量子计算机", mode="text")).notes


@pytest.mark.parametrize("mode", MODES)
def test_language_is_a_filter(world, mode):
    for name, code in (("de", "de"), ("German", "de"), ("zh-CN", "zh"), ("eng", "en")):
        assert {code} == {
            hit.language for hit in world.search(Query("Ofen oven 量子", mode=mode, language=name)).hits
        } - {""}
    nobody = world.search(Query("oven", mode=mode, language="fr"))
    assert () == nobody.hits
    assert nobody.notes[0].startswith("No transcript is in the language 'fr'")
