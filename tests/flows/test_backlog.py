"""The two lines of a run: publishers' transcripts and audio, each newest first."""

from flows.backlog import Backlog

DUE = ["e", "d", "c", "b", "a"]


def test_publishers_transcripts_wait_in_a_line_of_their_own():
    backlog = Backlog()
    backlog.fill(DUE, {"d", "a", "done long ago"})

    assert (["d", "a"], ["e", "c", "b"], 5) == (backlog.text, backlog.audio, len(backlog))


def test_an_episode_whose_publisher_was_asked_in_vain_takes_its_place_among_those_with_audio():
    backlog = Backlog()
    backlog.fill(DUE, {"e", "c", "a"})
    for key in ("a", "c", "e"):
        backlog.take(key)
        backlog.back_for_audio(key)

    assert ([], DUE) == (backlog.text, backlog.audio)


def test_what_was_taken_is_not_lined_up_again_and_what_was_refused_is_not_asked_for_again():
    backlog = Backlog()
    backlog.fill(DUE, {"d", "a"})
    for key in ("e", "d", "a"):
        backlog.take(key)
    backlog.back_for_audio("a")

    backlog.fill(["new", *DUE], {"d", "a", "new"})

    assert (["new"], ["c", "b", "a"]) == (backlog.text, backlog.audio)


def test_what_is_not_due_any_more_comes_first_where_it_was_begun():
    backlog = Backlog()
    backlog.fill(DUE, set())
    backlog.take("c")
    backlog.fill(["b", "a"], set())

    assert backlog.place("c") < backlog.place("b") < backlog.place("a")
