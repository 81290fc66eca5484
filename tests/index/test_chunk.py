from dataclasses import replace
from itertools import pairwise

import pytest

from index.chunk import PASSAGE, split
from index.text.sentences import sentence_ends, word_spans
from index.text.timing import word_times
from ingest.models import Episode, Segment, Transcript, Turn

EPISODE = Episode("selling", "g1", "On selling")


def words(text):
    return len(text.split())


def sentences(text):
    parts = text.split()
    ends = list(sentence_ends(parts))
    return [" ".join(parts[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def talk(*turns, segments=()):
    return Transcript(EPISODE, tuple(Turn(text, name) for name, text in turns), tuple(segments))


def monologue(count, length=10):
    return " ".join(f"This is number{n} {'very ' * (length - 4)}long." for n in range(count))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Two things! Three?", ["One thing.", "Two things!", "Three?"]),
        ("Ask Dr. Bell about Mr. Reed. He knows.", ["Ask Dr. Bell about Mr. Reed.", "He knows."]),
        ("It grew 3.5 percent. Good.", ["It grew 3.5 percent.", "Good."]),
        ("J. R. Moss sells in the U.S. Today he left.", ["J. R. Moss sells in the U.S. Today he left."]),
        ("We met at 5 p.m. Then we left.", ["We met at 5 p.m.", "Then we left."]),
        ('"Stop!" she said. "Why?" he asked.', ['"Stop!" she said.', '"Why?" he asked.']),
        ("Prices, i.e. the list, e.g. ours. Next.", ["Prices, i.e. the list, e.g. ours.", "Next."]),
        ("no marks at all in what was heard", ["no marks at all in what was heard"]),
        ("So… he waited. (Long.) Then", ["So… he waited.", "(Long.)", "Then"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, expected):
    assert expected == sentences(text)


def test_scripts_without_spaces_are_parted_at_their_full_stops():
    text = "我们开始吧。今天谈销售。"
    assert ["我们开始吧。", "今天谈销售。"] == [text[a:b] for a, b in word_spans(text)]


def test_chunks_hold_whole_sentences_up_to_the_size_and_cover_all_words():
    chunks = split(talk(("", monologue(100))), words, size=50, overlap=10, window=20)
    assert {40, 50} >= {words(chunk.text) for chunk in chunks}
    assert all(chunk.text.endswith("long.") and chunk.text.startswith("This is") for chunk in chunks)
    assert (0, 1000) == (chunks[0].first, chunks[-1].last)
    assert all(later.first <= earlier.last for earlier, later in pairwise(chunks))


def test_chunks_repeat_at_least_the_overlap():
    chunks = split(talk(("", monologue(100))), words, size=100, overlap=25, window=10)
    assert {30} == {a.last - b.first for a, b in pairwise(chunks)}


def test_every_passage_is_whole_in_one_chunk():
    chunks = split(talk(("", monologue(400, 7))), words)
    starts = range(0, 2800 - PASSAGE, 7)
    assert all(any(c.first <= start and start + PASSAGE <= c.last for c in chunks) for start in starts)


def test_every_chunk_brings_something_new_even_where_a_long_sentence_follows():
    text = f"{monologue(9)} {'and ' * 90}so. {monologue(9)}"
    chunks = split(talk(("", text)), words, size=100, overlap=40)
    assert all(later.last > earlier.last for earlier, later in pairwise(chunks))


def test_windows_are_runs_of_whole_sentences_that_cover_a_chunk():
    (chunk,) = split(talk(("Ann", monologue(12)), ("Ben", "and " * 71 + "so.")), words)
    assert [60, 60, 72] == [words(text) for text in chunk.embedded()]
    assert " ".join(chunk.quotes()) == " ".join(chunk.embedded())
    assert len(chunk.marks) == chunk.windows[-1]


def test_who_says_most_has_the_main_voice():
    (chunk,) = split(talk(("Ann", "I see. But why?"), ("Ben", f"{monologue(3, 10)} And why is it so? Ah.")), words)
    assert [4 / 36, 2 / 36, *[1.0] * 5] == [mark.voice for mark in chunk.marks]
    assert [1.0, 0.5, 1.0] == [mark.voice for mark in split(talk(("", "One. Two? Three.")), words)[0].marks]


def test_speakers_are_labelled_once_a_turn_and_paragraphs_kept():
    chunk = split(talk(("Ann", "Hello  there.\n\nHow are\nyou?"), ("Ben", "Well enough to talk at length.")), words)[0]
    assert "Ann: Hello there.\n\nHow are you?\n\nBen: Well enough to talk at length." == chunk.text
    assert ["Hello there.", "How are you?", "Well enough to talk at length."] == chunk.quotes()
    assert ("Ann", "Ben") == chunk.speakers
    assert ["Ann", "Ann", "Ben"] == [mark.speaker for mark in chunk.marks]


def test_text_without_speakers_carries_no_labels():
    assert ["Hello.\n\nAgain."] == [chunk.text for chunk in split(talk(("", "Hello.\n\nAgain.")), words)]


def test_a_monstrous_sentence_is_cut_between_words():
    chunks = split(talk(("", "word " * 1000)), words)
    assert max(words(text) for chunk in chunks for text in chunk.embedded()) <= 64
    assert 1000 == chunks[-1].last
    assert all(len(text) <= 64 for chunk in split(talk(("", "x" * 5000)), len) for text in chunk.embedded())


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


def test_times_are_exact_at_segment_borders_and_shared_out_by_characters_within():
    segments = [Segment(10.0, 20.0, "aaaa bbbb"), Segment(20.0, 30.0, "cccc")]
    times = word_times(["aaaa", "bbbb", "cccc"], segments)
    assert [10.0, 15.556, 20.0] == [round(start, 3) for start, _ in times]
    assert [14.444, 20.0, 30.0] == [round(end, 3) for _, end in times]


def test_chunks_and_sentences_know_when_they_are_said():
    segments = [Segment(1.0, 3.0, "First one.", "Ann"), Segment(4.0, 9.5, "Second one.", "Ben")]
    (chunk,) = split(talk(("Ann", "First one."), ("Ben", "Second one."), segments=segments), words)
    assert (1.0, 9.5) == (chunk.start, chunk.end)
    assert [(1.0, 3.0), (4.0, 9.5)] == [(mark.start, mark.stop) for mark in chunk.marks]


def test_words_that_were_not_edited_keep_their_times():
    segments = [Segment(n * 10.0, n * 10.0 + 10.0, f"part{n} of the talk ends.") for n in range(40)]
    heard = " ".join(segment.text for segment in segments).split()
    edited = [*heard[:70], "ADDED", "WORDS", *heard[71:140], *heard[150:]]
    times, before = word_times(edited, segments), word_times(heard, segments)
    assert before[:70] == times[:70]
    assert before[150:] == times[-len(before[150:]) :]
    assert all(a[0] <= b[0] for a, b in pairwise(times))
    assert (before[70][0], before[71][0]) == (times[70][0], times[71][1])


def test_segments_of_another_text_give_no_times():
    segments = [Segment(0.0, 60.0, "nothing here is what the transcript says")]
    (chunk,) = split(talk(("Ann", "A transcript of something else altogether."), segments=segments), words)
    assert (None, None) == (chunk.start, chunk.end)


def test_transcripts_without_segments_have_no_times():
    (chunk,) = split(talk(("Ann", "Untimed.")), words)
    assert (None, None, None) == (chunk.start, chunk.end, chunk.marks[0].start)
