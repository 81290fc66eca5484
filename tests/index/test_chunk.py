from dataclasses import replace
from itertools import pairwise

import pytest

from index.chunk import PASSAGE, split
from ingest.models import Episode, Segment, Transcript, Turn

EPISODE = Episode("selling", "g1", "On selling")


def words(text):
    return len(text.split())


def talk(*turns, segments=()):
    return Transcript(EPISODE, tuple(Turn(text, name) for name, text in turns), tuple(segments))


def monologue(count, length=10):
    return " ".join(f"This is number{n} {'very ' * (length - 4)}long." for n in range(count))


def test_chunks_hold_whole_sentences_up_to_the_size_and_cover_all_words():
    chunks = split(talk(("", monologue(100))), words, size=50, overlap=10, window=20)
    assert {40, 50} >= {words(chunk.text) for chunk in chunks}
    assert all(chunk.text.endswith("long.") and chunk.text.startswith("This is") for chunk in chunks)
    assert (0, 1000) == (chunks[0].first_word, chunks[-1].last_word)
    assert all(later.first_word <= earlier.last_word for earlier, later in pairwise(chunks))


def test_chunks_repeat_at_least_the_overlap():
    chunks = split(talk(("", monologue(100))), words, size=100, overlap=25, window=10)
    assert {30} == {a.last_word - b.first_word for a, b in pairwise(chunks)}


def test_every_passage_is_whole_in_one_chunk():
    chunks = split(talk(("", monologue(400, 7))), words)
    starts = range(0, 2800 - PASSAGE, 7)
    assert all(any(c.first_word <= start and start + PASSAGE <= c.last_word for c in chunks) for start in starts)


def test_every_chunk_brings_something_new_even_where_a_long_sentence_follows():
    text = f"{monologue(9)} {'and ' * 90}so. {monologue(9)}"
    chunks = split(talk(("", text)), words, size=100, overlap=40)
    assert all(later.last_word > earlier.last_word for earlier, later in pairwise(chunks))


def test_windows_are_runs_of_whole_sentences_that_cover_a_chunk():
    (chunk,) = split(talk(("Ann", monologue(12)), ("Ben", "and " * 71 + "so.")), words)
    assert [60, 60, 72] == [words(text) for text in chunk.window_texts()]
    assert " ".join(chunk.quotes()) == " ".join(chunk.window_texts())
    assert len(chunk.sentences) == chunk.windows[-1]


def test_the_most_talkative_speaker_has_the_highest_prominence():
    (chunk,) = split(talk(("Ann", "I see. But why?"), ("Ben", f"{monologue(3, 10)} And why is it so? Ah.")), words)
    assert [4 / 36, 2 / 36, *[1.0] * 5] == [sentence.prominence for sentence in chunk.sentences]
    assert [1.0, 0.5, 1.0] == [
        sentence.prominence for sentence in split(talk(("", "One. Two? Three.")), words)[0].sentences
    ]


def test_a_question_by_another_than_the_main_speaker_asks():
    (chunk,) = split(talk(("Ann", "I see. But why?"), ("Ben", f"{monologue(3, 10)} And why is it so? Ah.")), words)
    assert [1] == [n for n, sentence in enumerate(chunk.sentences) if sentence.asks]
    (unnamed,) = split(talk(("", "One. Two? Three.")), words)
    assert [False, True, False] == [sentence.asks for sentence in unnamed.sentences]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("We sell. And we buy. But BECAUSE is a word.", [True, False, False]),
        ("Sell first. So what? Soap sells. That's why we sell.", [True, False, True, False]),
        ("And so it begins. Anders sells.\n\nBut here it goes on. Then more.", [True, True, True, False]),
        ("Wir verkaufen. Und dann?", [True, True]),
    ],
)
def test_a_thought_opens_where_no_conjunction_goes_on_with_it(said, expected):
    (chunk,) = split(talk(("Ann", said)), words)
    assert expected == [sentence.opens for sentence in chunk.sentences]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([Segment(0.0, 10.0, "One."), Segment(10.0, 12.0, "Two.")], [0.0, 0.0]),  # within a long word: its beginning
        ([Segment(0.0, 3.0, "One."), Segment(10.0, 12.0, "Two.")], [0.0, 8.0]),  # within a pause
        ([Segment(1.0, 8.5, "One."), Segment(10.0, 12.0, "Two.")], [0.0, 1.0]),
        ([Segment(0.5, 1.5, "One."), Segment(1.5, 2.5, "Two.")], [0.0, 0.0]),  # not before the recording begins
    ],
)
def test_playing_starts_two_seconds_early_and_never_within_a_word(segments, expected):
    (chunk,) = split(talk(("Ann", "One. Two."), segments=segments), words)
    assert expected == [sentence.lead for sentence in chunk.sentences]


def test_speakers_are_labelled_once_a_turn_and_paragraphs_kept():
    chunk = split(talk(("Ann", "Hello  there.\n\nHow are\nyou?"), ("Ben", "Well enough to talk at length.")), words)[0]
    assert "Ann: Hello there.\n\nHow are you?\n\nBen: Well enough to talk at length." == chunk.text
    assert ["Hello there.", "How are you?", "Well enough to talk at length."] == chunk.quotes()
    assert ("Ann", "Ben") == chunk.speakers
    assert ["Ann", "Ann", "Ben"] == [chunk.speakers[sentence.speaker] for sentence in chunk.sentences]


@pytest.mark.parametrize(
    "text",
    [
        "我们开始吧。今天谈价格！好吗？我们用 AI。它很好。",  # noqa: RUF001 - full-width marks are meant
        "「売ります。」「買います。」次です。 空きがあります。",
        "वह गया।मैं आया। ठीक।",
        "ကောင်းတယ်။ လာမယ်။",
        "สวัสดีครับ" * 60,  # one sentence, cut into parts
        "We sell. They buy.",
    ],
)
def test_sentences_stand_as_in_the_transcript(text):
    (chunk,) = split(talk(("Ann", text), ("Ben", text)), len, size=9_000, window=9_000)
    assert f"Ann: {text}\n\nBen: {text}" == chunk.text
    assert [f"{text} {text}"] == chunk.window_texts()
    assert text + text == "".join(chunk.text[a.begin : b.begin].split("\n\n")[0] for a, b in _following(chunk))
    assert len(chunk.quotes()) > 3


def _following(chunk):
    return pairwise([*chunk.sentences, replace(chunk.sentences[-1], begin=len(chunk.text))])


@pytest.mark.parametrize("asked", ["你去哪里？", "أين السوق؟", "Πού πας;", "Ո՞ւր ես գնում։", "„Wohin?“", "(Why?)"])  # noqa: RUF001
def test_a_question_asks_in_any_script(asked):
    (chunk,) = split(talk(("Ann", asked), ("Ben", monologue(3))), words)
    assert [True, False, False, False] == [sentence.asks for sentence in chunk.sentences]


def test_text_without_speakers_carries_no_labels():
    assert ["Hello.\n\nAgain."] == [chunk.text for chunk in split(talk(("", "Hello.\n\nAgain.")), words)]


def test_a_monstrous_sentence_is_cut_between_words():
    chunks = split(talk(("", "word " * 1000)), words)
    assert max(words(text) for chunk in chunks for text in chunk.window_texts()) <= 64
    assert 1000 == chunks[-1].last_word
    assert all(len(text) <= 64 for chunk in split(talk(("", "x" * 5000)), len) for text in chunk.window_texts())


def test_speech_without_punctuation_is_cut_where_segments_begin():
    segments = [Segment(n * 5.0, n * 5.0 + 5.0, f"say {n} " + "more " * 28) for n in range(20)]
    text = " ".join(segment.text.strip() for segment in segments)
    chunks = split(talk(("", text), segments=segments), words, size=100, overlap=0)
    assert all(chunk.text.startswith("say ") for chunk in chunks)
    assert all(chunk.start % 5 == 0 for chunk in chunks)


def test_nothing_said_gives_no_chunks():
    assert () == split(talk(("Ann", "  \n\n ")), words)
    assert () == split(talk(), words)


def test_an_id_is_stable_and_survives_edits_elsewhere():
    turns = [("Ann" if n % 2 else "Ben", f"Turn number{n}. {monologue(4)}") for n in range(80)]
    before = split(talk(*turns), words)
    assert [chunk.id for chunk in before] == [chunk.id for chunk in split(talk(*turns), words)]
    turns[1] = (turns[1][0], turns[1][1].replace("Turn", "Part"))
    after = split(talk(*turns), words)
    assert 1 == len({chunk.id for chunk in after} - {chunk.id for chunk in before}) < len(before) / 5


def test_ids_differ_between_episodes_and_between_repeats():
    said = talk(("", "Buy now. " * 200))
    other = replace(said, episode=replace(EPISODE, guid="g2"))
    ids = [chunk.id for transcript in (said, other) for chunk in split(transcript, words, size=20, overlap=0)]
    assert len(ids) == len(set(ids))


def test_chunks_and_sentences_know_when_they_are_said():
    segments = [Segment(1.0, 3.0, "First one.", "Ann"), Segment(4.0, 9.5, "Second one.", "Ben")]
    (chunk,) = split(talk(("Ann", "First one."), ("Ben", "Second one."), segments=segments), words)
    assert (1.0, 9.5) == (chunk.start, chunk.end)
    assert [(1.0, 3.0), (4.0, 9.5)] == [(sentence.start, sentence.stop) for sentence in chunk.sentences]


def test_segments_of_another_text_give_no_times():
    segments = [Segment(0.0, 60.0, "nothing here is what the transcript says")]
    (chunk,) = split(talk(("Ann", "A transcript of something else altogether."), segments=segments), words)
    assert (None, None) == (chunk.start, chunk.end)


def test_transcripts_without_segments_have_no_times():
    (chunk,) = split(talk(("Ann", "Untimed.")), words)
    assert (None, None, None) == (chunk.start, chunk.end, chunk.sentences[0].start)
