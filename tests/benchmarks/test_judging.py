"""`soundbite eval`, and the gate on search quality: the sample podcast, heard and indexed for real."""

import json

import pytest

from index.build import update
from index.search import EXPORTS, open_searcher
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.settings import Settings
from tests.conftest import ROOT

SAMPLE = ROOT / "tests" / "sample"
# Measured .957, 1, .978, 1, 1, 1, .875, 1 and .973. One question is .04 of all, .13 of the paraphrases.
LEAST = {
    "hit@1": 0.85,
    "hit@10": 0.95,
    "MRR@10": 0.9,
    "episode.hit@10": 1,
    "keyword.hit@1": 1,
    "named.hit@1": 1,
    "paraphrase.hit@1": 0.7,
    "abstention.recall": 0.85,
    "abstention.AUC": 0.93,
}
TALKS = {
    "guid/1": ("On prices", Turn("Raise your prices before the quarter ends.", "Ann")),
    "guid/2": ("On hiring", Turn("Hire slowly and let people go kindly.", "Eve")),
}
QUESTIONS = (
    {"id": "a", "question": "when to raise prices?", "type": "named", "episode_id": "guid/1", "span": "before the QUARTER"},
    {"id": "b", "question": "how to hire?", "type": "keyword", "episode_id": "guid/2", "first": 1, "last": 2},
    {"id": "c", "question": "how to hire slowly?", "type": "keyword", "episode_id": "guid/1", "span": "raise your prices now"},
    {"id": "d", "question": "why?", "type": "keyword", "episode_id": "guid/3", "span": "because"},
    {"id": "e", "question": "how far is the moon?", "type": "unanswerable", "episode_id": "", "span": ""},
)  # fmt: skip


@pytest.fixture(scope="module")
def talks(encoder, tmp_path_factory):
    """A home with two indexed episodes and a file of questions."""
    home = tmp_path_factory.mktemp("talks")
    library = Library(home / "library")
    for guid, (title, turn) in TALKS.items():
        library.write(Transcript(Episode("talks", guid, title), (turn,)))
    (home / "index").mkdir()
    (home / "index" / EXPORTS).symlink_to(encoder)
    searcher = open_searcher(Settings(home=home))
    update(library, searcher.store, searcher.embedder)
    (home / "judged.jsonl").write_text("\n".join(json.dumps(row) for row in QUESTIONS))
    return home


@pytest.fixture
def evaluate(talks, call):
    """The command `eval` in this process: exit code, stdout, stderr."""

    def evaluate(*options, file=talks / "judged.jsonl", home=talks):
        return call("--home", home, "eval", file, *options)

    return evaluate


def test_a_table_for_people_says_what_was_found_and_what_came_instead(evaluate):
    code, out, err = evaluate("--misses", "1", "--compare", "text")

    assert code == 0
    assert ["all", "4", "passage", "0.500", "0.500", "0.500", "0.500", "0.500"] in [
        line.split() for line in out.splitlines()
    ]
    assert ["episode", "0.500", "0.750", "0.750", "0.625", "0.658"] in [line.split() for line in out.splitlines()]
    assert "hit@10 of hybrid less text +0.000, 95 % interval +0.000 to +0.000: may be chance" in out
    assert "recall 1.000 of 1 without an answer" in out
    assert "c (keyword): how to hire slowly?\n  wanted  guid/1: raise your prices now\n" in out
    assert "On hiring: Eve: Hire slowly" in out
    assert "d (keyword)" not in out
    assert err.splitlines()[-1] == "Not in the index, so never found: guid/3"


def test_a_program_gets_one_document(evaluate):
    code, out, _ = evaluate("--json", "--misses", "9", "--mode", "vector")

    document = json.loads(out)
    assert (0, "vector", 5, 4) == (code, document["mode"], document["questions"], document["answerable"])
    assert {"n": 1, "hit@1": 1.0} == {
        "n": document["by_type"]["named"]["n"],
        "hit@1": document["by_type"]["named"]["passage"]["hit@1"],
    }
    assert ["c", "d"] == [miss["id"] for miss in document["misses"]]
    assert ["On hiring", "On prices"] == [hit["title"] for hit in document["misses"][0]["came"]]
    assert document["misses"][0]["episode_rank"] == 2
    assert ["guid/3"] == document["not_indexed"]
    assert document["ms"]["median"] > 0


def test_a_gate_passes_at_its_floors_and_fails_below_in_one_line(evaluate):
    assert evaluate("--least", "hit@10=0.5", "--least", "episode.hit@1 = 0.5", "--json")[0] == 0

    code, out, err = evaluate("--least", "hit@10=0.5", "--least", "named.hit@1=1.1", "--least", "keyword.MRR@10=0.5")

    assert (code, bool(out)) == (1, True)
    assert err.splitlines()[-1] == (
        "soundbite: below what was asked for: named.hit@1 is 1.000, not 1.1; keyword.MRR@10 is 0.333, not 0.5"
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--least", "hit@3=0.5"], "hit@3: no such figure; take one of hit@1"),
        (["--least", "hit@10"], "is not FIGURE=VALUE"),
        (["--least", "hit@10=high"], "is not FIGURE=VALUE"),
        (["--misses", "-1"], "greater than or equal to 0"),
        (["--mode", "magic"], "is not one of"),
    ],
)
def test_wrong_usage_is_told_apart_from_a_bad_score(evaluate, options, reason):
    code, _, err = evaluate(*options)

    assert code == 2
    assert reason in " ".join(err.replace("│", " ").split())


def test_help_teaches_the_form_and_the_figures(evaluate):
    code, out, _ = evaluate("--help")

    assert code == 0
    for word in ("episode_id", "span", "alt_spans", "MRR@10", "--least", "AUC"):
        assert word in out


def test_a_bad_file_is_one_line_that_says_where(evaluate, tmp_path):
    bad = tmp_path / "bad.jsonl"
    for content, reason in (
        (b'{"question": "why?"}\n{"question": 1}\n', "bad.jsonl:2: `question` must be text, not 1"),
        (b"\xff\xfe", "bad.jsonl: cannot be read"),
        (b"\n", "bad.jsonl: holds no questions"),
        (b'{"question": "q", "episode_id": "guid/3", "first": 0, "last": 0}', "bad.jsonl:1: guid/3: no such episode"),
    ):
        bad.write_bytes(content)
        code, out, err = evaluate(file=bad)

        assert (2, "", 1) == (code, out, err.count("\n"))
        assert reason in err


def test_without_an_index_it_says_what_to_do_first(evaluate, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"question": "why?"}')

    code, out, err = evaluate(file=tmp_path / "q.jsonl", home=tmp_path / "empty")

    assert (1, "") == (code, out)
    assert "soundbite run" in err.splitlines()[-1]


def test_search_over_the_sample_podcast_is_as_good_as_it_was(sampled):
    floors = [option for name, least in LEAST.items() for option in ("--least", f"{name}={least}")]

    done = sampled("eval", SAMPLE / "questions.jsonl", "--misses", "3", *floors)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["text", "vector"])
def test_words_and_meaning_together_are_better_than_one_alone(sampled, mode):
    compared = sampled.json("eval", SAMPLE / "questions.jsonl", "--compare", mode)["compared"]

    assert compared["MRR@10"]["difference"] > 0
    assert compared["hit@10"]["difference"] >= 0


def test_sample_questions_tell_the_true_seconds_of_their_answers():
    times = json.loads((SAMPLE / "times.json").read_text())
    asked = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text().splitlines()]

    assert len(asked) > 30
    for row in asked:
        said = [(line["start"], line["end"]) for line in times.get(row["episode"], ()) if line["text"] == row["answer"]]
        assert said == ([(row["start"], row["end"])] if row["episode"] else [])
