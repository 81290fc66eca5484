"""The command's contract: what scripts rely on, and what a person reads when something is wrong."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.cli.main import hoist_home
from ingest.feeds.opml import read_feed_list, write_opml
from ingest.intake import find_sources
from ingest.ledger import Ledger
from ingest.weights.files import record
from ingest.weights.published import SPEECH
from tests.cpu import cpu_seconds
from tests.flows.test_run import feed
from tests.podcast_host import PodcastHost, Reply, document, for_agent

VTT = b"WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ann>Ask for the next meeting.</v>\n\n00:04.000 --> 00:07.500\n<v Ben>I will.</v>\n"
PLAIN = (
    "# Notes on coaching\n\nAnn:\n\nCoach one skill a week, and only one.\n\nBen:\n\nThat is all we have time for.\n"
)


@pytest.fixture(autouse=True)
def _loopback(monkeypatch):
    monkeypatch.setenv("SOUNDBITE_ALLOW_HOSTS", "127.0.0.1")


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed("one", "two")))
        yield host


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(PLAIN)
    return path


def kept(home):
    """Everything stored, by name and content."""
    return {path.relative_to(home): path.read_bytes() for path in home.rglob("*.md")}


def assert_one_line(outcome, words, code=1):
    assert (code, "", 1) == (outcome[0], outcome[1], outcome[2].count("\n")), outcome
    assert words in outcome[2]
    assert "Traceback" not in outcome[2]


@pytest.mark.parametrize(
    ("given", "hoisted"),
    [
        (["search", "q", "--home", "x"], ["--home", "x", "search", "q"]),
        (["search", "--home=x", "q"], ["--home=x", "search", "q"]),
        (["search", "q"], ["search", "q"]),
        (["search", "--", "--home", "x"], ["search", "--", "--home", "x"]),
    ],
)
def test_home_may_stand_anywhere(given, hoisted):
    assert hoisted == hoist_home(given)


def test_every_command_has_help_that_says_what_it_is_for(call):
    _, overview, _ = call("--help")

    for command in [
        "add",
        "feeds",
        "remove",
        "run",
        "import",
        "index",
        "search",
        "serve",
        "episodes",
        "show",
        "convert",
        "inspect",
        "doctor",
        "up",
        "model",
    ]:
        assert command in overview
        assert call(command, "--help")[0] == 0


def test_a_feed_is_added_once_and_listed(call, host):
    assert ((added := call("add", host.url("/feed.xml")))[0], "Added quota" in added[1]) == (0, True)
    assert "already" in call("add", host.url("/feed.xml"))[1]

    code, out, _ = call("feeds", "--json")

    assert (code, [one["podcast"] for one in json.loads(out)["feeds"]]) == (0, ["quota"])
    pending = json.loads(call("episodes", "--json")[1])["episodes"]
    assert [one["status"] for one in pending] == ["pending", "pending"]


def test_a_removed_podcast_is_polled_no_more(call, host):
    call("add", host.url("/feed.xml"), "--podcast", "Quota Room")

    assert call("remove", "quota-room")[0] == 0
    assert json.loads(call("feeds", "--json")[1]) == {"feeds": []}
    assert_one_line(call("remove", "quota-room"), "no such podcast")


def test_an_opml_file_adds_what_it_can_and_says_what_it_cannot(call, host, tmp_path):
    opml = tmp_path / "feeds.opml"
    urls = host.url("/feed.xml"), host.url("/gone.xml")
    lines = "".join(f'<outline type="rss" text="x" xmlUrl="{url}"/>' for url in urls)
    opml.write_text(f'<opml version="2.0"><body><outline text="folder">{lines}</outline></body></opml>')
    host.serve("/gone.xml", Reply(410))

    code, _, err = call("add", opml)

    assert (code, "gone for good" in err) == (1, True)
    assert [one["podcast"] for one in json.loads(call("feeds", "--json")[1])["feeds"]] == ["quota"]


def listed(tmp_path, *urls):
    path = tmp_path / "feeds.opml"
    path.write_text(write_opml([("Quota", url) for url in urls]))
    return path


def test_a_list_can_be_tried_dry_and_taken_twice(call, host, tmp_path):
    opml = listed(tmp_path, host.url("/feed.xml"))

    assert "1 of 1 feeds would be added" in call("add", opml, "--dry-run")[1]
    assert ([], {"feeds": []}) == (host.requests, json.loads(call("feeds", "--json")[1]))
    assert call("add", opml)[0] == call("add", opml)[0] == 0
    assert ["/feed.xml"] == [asked.path for asked in host.requests]
    assert "0 of 1 feeds would be added" in call("add", opml, "--dry-run")[1]


def test_feeds_are_given_out_as_a_list_that_is_read_back(call, host):
    call("add", host.url("/feed.xml"))

    assert [("Quota", host.url("/feed.xml"))] == read_feed_list(call("feeds", "--opml")[1].encode()).feeds


def test_a_feed_that_moved_is_not_added_again_by_its_old_address(call, host, tmp_path):
    call("add", host.url("/feed.xml"))
    ledger = Ledger(tmp_path / "home" / "ledger.sqlite")
    ledger.move(ledger.feed("quota"), "https://new.example/feed")

    code, out, _ = call("add", host.url("/feed.xml"))

    assert (0, True) == (code, "already at https://new.example/feed" in out)
    assert "0 of 1" in call("add", listed(tmp_path, host.url("/feed.xml")), "--dry-run")[1]


def test_a_feed_may_be_asked_under_another_name(call, host):
    host.serve("/feed.xml", for_agent("Mozilla", document(feed("one"))))

    assert_one_line(call("add", host.url("/feed.xml")), "403")
    assert call("add", host.url("/feed.xml"), "--user-agent", "Mozilla/5.0")[0] == 0
    assert "from now on with Other/1" in call("add", host.url("/feed.xml"), "--user-agent", "Other/1")[1]
    assert "Other/1" == json.loads(call("feeds", "--json")[1])["feeds"][0]["user_agent_override"]


def test_feeds_shows_what_became_of_each_and_what_is_wrong(call, host, tmp_path):
    call("add", host.url("/feed.xml"))
    ledger = Ledger(tmp_path / "home" / "ledger.sqlite")
    ledger.settle(ledger.records()[0].episode)
    ledger.record_poll_failure(replace(ledger.feed("quota"), gone=datetime(2026, 3, 1, tzinfo=UTC)), "is gone")

    told = json.loads(call("feeds", "--json")[1])["feeds"][0]

    assert {"done": 1, "pending": 1, "failed": 0} == told["episodes"]
    assert ("2026-03-01T00:00:00+00:00", "is gone") == (told["gone"], told["last_error"])
    shown = " ".join(call("feeds")[1].split())
    assert ("gone for" in shown, "none" in shown) == (True, True)


def test_inspect_tells_what_a_feed_holds_and_stores_nothing(call, host, tmp_path):
    code, out, _ = call("inspect", host.url("/feed.xml"), "--json")

    told = json.loads(out)
    assert (code, told["podcast"], [one["guid"] for one in told["episodes"]]) == (0, "quota", ["two", "one"])
    names = {"guid", "title", "published", "audio_url", "duration", "transcripts"}
    assert names <= set(told["episodes"][0])
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, b"<html><body>hello</body></html>", {"Content-Type": "text/html"}), "web page"),
        (Reply(200, b""), "empty"),
        (Reply(404), "not there"),
        (Reply(200, b"\x00\x01\x02" * 50), "not"),
    ],
    ids=["html", "empty", "missing", "bytes"],
)
def test_what_is_not_a_feed_is_refused_and_nothing_is_stored(call, host, reply, words):
    host.serve("/bad.xml", reply)

    assert_one_line(call("add", host.url("/bad.xml")), words)
    assert json.loads(call("feeds", "--json")[1]) == {"feeds": []}


def test_an_address_that_is_not_public_is_refused_by_name(call, host, monkeypatch):
    monkeypatch.delenv("SOUNDBITE_ALLOW_HOSTS")

    assert_one_line(call("add", host.url("/feed.xml")), "SOUNDBITE_ALLOW_HOSTS")


def test_convert_gives_every_format_out(call, tmp_path):
    path = tmp_path / "talk.vtt"
    path.write_bytes(VTT)

    for form, words in {
        "md": "Ann:\n\nAsk",
        "vtt": "<v Ann>",
        "srt": "Ann: Ask",
        "json": '"startTime"',
        "txt": "Ask",
    }.items():
        code, out, _ = call("convert", path, "--to", form)
        assert (code, words in out) == (0, True), form


def test_convert_says_what_a_file_lacks(call, notes):
    assert_one_line(call("convert", notes, "--to", "vtt"), "no times")
    assert_one_line(call("convert", notes.with_name("absent.md"), "--to", "md"), "does not exist")


def test_wrong_usage_ends_with_2(call):
    assert call("search")[0] == 2
    assert call("convert", "x", "--to", "docx")[0] == 2
    assert call("nonsense")[0] == 2
    assert call("search", "x", "--since", "last week")[0] == 2
    assert call("run", "--since", "last week")[0] == 2
    assert call("run", "--all", "--latest", "1")[0] == 2
    assert call("add", "https://quota.example/feed", "--dry-run")[0] == 2
    for command in ("serve", "up"):
        for host in ("0.0.0.0", "192.168.1.5", "::", "nas.local"):
            code, _, said = call(command, "--host", host)
            assert (code, "--without-keys" in said) == (2, True)
    assert_one_line(call("up", "--host", "0.0.0.0", "--without-keys", "--every", "never"), "no interval", code=2)
    assert_one_line(call("up", "--every", "never"), "no interval", code=2)


def test_a_setting_that_makes_no_sense_is_named(call, monkeypatch):
    monkeypatch.setenv("SOUNDBITE_MAX_AUDIO_MB", "soon")

    assert_one_line(call("feeds"), "SOUNDBITE_MAX_AUDIO_MB", code=2)


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(call, monkeypatch):
    monkeypatch.setenv("SOUNDBITE_WHISPR_MODEL", "tiny")

    assert_one_line(call("feeds"), "did you mean SOUNDBITE_WHISPER_MODEL?", code=2)


def test_a_home_that_cannot_be_written_is_one_line(call, tmp_path, notes):
    (tmp_path / "file").write_text("in the way")

    for arguments in (["import", notes], ["index"], ["up"]):
        assert_one_line(call(*arguments, "--home", tmp_path / "file" / "home"), "--home")


def test_searching_before_anything_is_indexed_says_what_to_do(call):
    assert_one_line(call("search", "how do I coach?"), "soundbite import")


def test_run_without_feeds_says_how_to_add_one(call):
    code, out, err = call("run")

    assert (code, out, "soundbite add" in err) == (0, "", True)


@pytest.mark.usefixtures("home")
def test_an_unreadable_transcript_is_named_and_the_others_are_taken(call, notes, tmp_path):
    bad = tmp_path / "bad.vtt"
    bad.write_bytes(b"\x00\xff\x00\xff")

    code, out, err = call("import", notes, bad, "--json")

    told = json.loads(out)
    assert (1, [str(notes)]) == (code, told["added"])
    assert [str(bad)] == [one["subject"] for one in told["failed"]]
    assert "Traceback" not in err


def test_imports_are_searched_shown_and_taken_once(call, notes, home):
    assert call("import", notes, "--podcast", "Coaching Notes")[0] == 0
    before = kept(home)
    assert "1 unchanged" in call("import", notes, "--podcast", "Coaching Notes")[1]
    assert before == kept(home)

    told = json.loads(call("search", "what should I coach in a week?", "--limit", "1", "--json")[1])
    hit = told["hits"][0]

    assert tuple(hit["answer"][name] for name in ("speaker", "text", "start")) == (
        "Ann",
        "Coach one skill a week, and only one.",
        None,
    )
    assert "Coach one skill" in call("show", hit["key"], "--format", "txt")[1]
    assert "Coach one skill" in call("show", hit["episode_id"])[1]
    assert_one_line(call("show", "nobody"), "no such episode")


def test_a_podcast_imported_under_its_name_and_its_slug_is_one(call, notes, home):
    call("import", notes, "--podcast", "Coaching Notes")

    assert "1 unchanged" in call("import", notes, "--podcast", "coaching-notes")[1]
    assert 1 == len(kept(home))


def test_a_folder_of_thousands_of_pairs_is_listed_in_no_time(tmp_path):
    """Each document's JSON is looked for in a set: 4,000 pairs once took 27 s."""
    for number in range(1_000):
        (tmp_path / f"{number}.md").touch()
        (tmp_path / f"{number}.json").touch()

    assert 1_000 == len(find_sources([tmp_path])[0])
    assert cpu_seconds(find_sources, [tmp_path]) < 2


def test_two_files_of_one_title_are_two_episodes(call, notes, tmp_path, home):
    other = tmp_path / "other" / "more.md"
    other.parent.mkdir()
    other.write_text(PLAIN.replace("one skill", "ten skills"))

    call("import", notes, "--podcast", "x")
    before = kept(home)

    assert call("import", other, "--podcast", "x")[0] == 0
    assert before.items() < kept(home).items()
    assert 2 == len(kept(home))


def test_a_transcript_edited_in_the_library_is_searched_after_index(call, notes, home):
    call("import", notes)
    path = next((home / "library").rglob("*.md"))
    path.write_text(path.read_text().replace("Coach one skill a week", "Coach listening before closing"))

    assert "1 changed" in call("index")[1]
    told = json.loads(call("search", "what comes before closing?", "--limit", "1", "--json")[1])
    assert "listening before closing" in told["hits"][0]["passage"]["text"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([" "], "at least one word"),
        (["deal " * 2000], "10,000 characters"),
        (["deal", "--limit", "0"], "1 to 100"),
        (["deal", "--limit", "10000"], "1 to 100"),
        (["deal", "--language", "xyzzy"], "no language 'xyzzy'"),
    ],
    ids=["empty", "long", "limit 0", "limit 10000", "language"],
)
def test_a_question_that_cannot_be_asked_is_wrong_usage(call, arguments, words):
    assert_one_line(call("search", *arguments), words, code=2)


@pytest.mark.usefixtures("home")
def test_search_says_what_it_corrected_whom_it_does_not_know_and_which_languages_there_are(call, notes):
    call("import", notes, "--podcast", "x")
    assert "Did you mean: coach a skill? These are its hits." in call("search", "coahc a skill")[1].replace(
        "[/bold]", ""
    )
    told = json.loads(call("search", "coahc a skill", "--json")[1])
    assert ("coach a skill", []) == (told["suggestion"], told["notes"])
    assert (
        "Nobody called 'Anne' speaks in what is indexed; did you mean Ann?"
        in call("search", "skill", "--speaker", "Anne")[2]
    )
    assert "Coach one skill" in call("search", "skill", "--speaker", "ann", "--language", "English")[1]
    assert "there are: en" in call("search", "skill", "--language", "de")[2]


@pytest.mark.usefixtures("home")
def test_doctor_names_the_languages_and_a_model_for_those_that_the_model_does_not_know(call, notes, tmp_path):
    call("import", notes, "--podcast", "x")
    findings = json.loads(call("doctor", "--json")[1])["findings"]
    assert ["en 1"] == [one["found"] for one in findings if one["what"] == "languages"]
    (tmp_path / "de.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:09.000\nDer Backofen ist neu und wir sind am Hafen.\n")
    call("import", tmp_path / "de.vtt", "--podcast", "x")
    findings = json.loads(call("doctor", "--json")[1])["findings"]
    assert ["en 1, de 1"] == [one["found"] for one in findings if one["what"] == "languages"]
    assert any("does not know de" in one["found"] and not one["ok"] for one in findings)


def test_doctor_says_what_is_missing(call, monkeypatch):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", "small")
    code, out, _ = call("doctor", "--json")

    told = json.loads(out)
    speech = next(one for one in told["findings"] if one["what"] == "speech model")
    assert (code, told["ok"], "soundbite model pull small" in speech["found"]) == (1, False, True)


@pytest.mark.parametrize(
    ("speakers", "well", "said"),
    [
        ("off", True, "not told apart"),
        ("auto", True, "told apart by voice (auto)"),
        ("pyannote", False, "pip install pyannote.audio"),
    ],
)
def test_doctor_says_whether_voices_are_told_apart(call, monkeypatch, speakers, well, said):
    monkeypatch.setenv("SOUNDBITE_SPEAKERS", speakers)

    told = next(one for one in json.loads(call("doctor", "--json")[1])["findings"] if one["what"] == "speakers")

    assert well == told["ok"]
    assert said in told["found"]


@pytest.mark.parametrize("cut", [-1, 1, 6])
def test_doctor_tells_a_damaged_speech_model_from_a_missing_one(call, monkeypatch, tmp_path, cut):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", "base")
    model = tmp_path / "soundbite" / "models" / "base"
    model.mkdir(parents=True)
    for name in SPEECH.files:
        (model / name).write_bytes(b"whole\n")
    record(model)

    def found():
        findings = json.loads(call("doctor", "--json")[1])["findings"]
        return next(one for one in findings if one["what"] == "speech model")

    assert (True, f"base: {model}") == (found()["ok"], found()["found"])
    (model / "model.bin").write_bytes(b"other\n"[:cut])
    assert not found()["ok"]
    assert "base: is damaged (model.bin is not the published one" in found()["found"]
    assert "fetch it again with `soundbite model pull base`" in found()["found"]


def a_model(path, length=384, kind="BertModel"):
    """The files of an embedding model or a cross-encoder, without real weights."""
    (path / "1_Pooling").mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"weights")
    (path / "config.json").write_text(json.dumps({"architectures": [kind], "hidden_size": length}))
    (path / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": length}))
    return path


CROSS = {"kind": "BertForSequenceClassification"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("EMBEDDING_MODEL", {}), ("embedding model", True, "/one")),
        (("EMBEDDING_MODEL", None), ("embedding model", False, "no such embedding model here")),
        (("QUERY_MODEL", {}), ("model for questions", True, "/one")),
        (("QUERY_MODEL", {"length": 128}), ("model for questions", False, "128 numbers")),
        (("QUERY_MODEL", None), ("model for questions", False, "no such embedding model here")),
        (("RERANK_MODEL", CROSS), ("re-ranking model", True, "/one")),
        (("RERANK_MODEL", {}), ("re-ranking model", False, "is not a cross-encoder")),
        (("RERANK_MODEL", None), ("re-ranking model", False, "no such re-ranking model here")),
    ],
)
def test_doctor_says_whether_the_models_of_search_are_here(call, monkeypatch, tmp_path, asked, expected):
    (setting, model), (what, ok, words) = asked, expected
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # what is not here is not fetched
    name = "no/such-model" if model is None else str(a_model(tmp_path / "one", **model))
    monkeypatch.setenv(f"SOUNDBITE_{setting}", name)
    told = {one["what"]: one for one in json.loads(call("doctor", "--json")[1])["findings"]}
    assert (ok, True) == (told[what]["ok"], words in told[what]["found"])
    assert {"embedding model", what} == set(told) & {"embedding model", "model for questions", "re-ranking model"}


@pytest.mark.parametrize("name", ["all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"])
@pytest.mark.parametrize("asked", [("EMBEDDING_MODEL", "embedding model"), ("QUERY_MODEL", "model for questions")])
def test_doctor_tells_a_damaged_embedding_model_from_a_missing_one(call, monkeypatch, tmp_path, asked, name):
    setting, what = asked
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(f"SOUNDBITE_{setting}", name)

    def told():
        findings = json.loads(call("doctor", "--json")[1])["findings"]
        return next((one["ok"], one["found"]) for one in findings if one["what"] == what)

    def expect(said):
        ok, found = told()
        assert (False, True) == (ok, said in found), found

    expect("no such embedding model here; fetch it with `soundbite model pull all-mpnet-base-v2`")
    model = a_model(tmp_path / "soundbite" / "models" / "all-mpnet-base-v2")
    record(model)
    assert (True, f"{name}: {model}") == told()
    (model / "model.safetensors").write_bytes(b"others!")
    expect(f"{name}: is damaged (model.safetensors is not the published one")
    (model / "model.safetensors").write_bytes(b"")
    expect(f"(model.safetensors is empty); fetch it again with `soundbite model pull {name}`")
    (model / "model.safetensors").unlink()
    expect(f"(model.safetensors is missing); fetch it again with `soundbite model pull {name}`")


def test_models_are_listed_with_what_for_and_whether_they_are_here(call, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    a_model(tmp_path / "soundbite" / "models" / "all-mpnet-base-v2")
    listed = {one["name"]: one for one in json.loads(call("model", "list", "--json")[1])["models"]}
    assert ("speech", False) == (listed["small"]["kind"], listed["small"]["here"])
    assert ("embedding", True) == (listed["all-mpnet-base-v2"]["kind"], listed["all-mpnet-base-v2"]["here"])
    lines = call("model", "list")[1].splitlines()
    assert ["speech model", "embedding model"] == [line.partition("  ")[0] for line in lines if "choose it for" in line]
    assert any(line.split()[:6] == ["all-mpnet-base-v2", "0.44", "GB", "0.9", "GB", "0.14"] for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_import_says_what_it_left_out_and_why(call, tmp_path, home):
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "talk.vtt").write_bytes(VTT)
    (folder / "talk.txt").write_text("Ask for the next meeting.")
    (folder / "minutes.docx").write_bytes(b"PK\3\4")
    (folder / "README.md").write_text("# My archive")

    code, out, err = call("import", folder, "--podcast", "x")
    told = json.loads(call("import", folder, "--podcast", "x", "--json")[1])

    assert (0, "1 added, 0 updated, 0 unchanged, 3 left out, 0 failed\n") == (code, out)
    assert "same episode in another format as talk.vtt" in err
    assert "Word" in err
    assert {"talk.txt", "minutes.docx", "README.md"} == {one["subject"].rpartition("/")[2] for one in told["left_out"]}
    assert 1 == len(kept(home))


def test_a_folder_without_transcripts_is_an_error(call, tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "style.css").write_text("p {}")

    code, _, err = call("import", folder)

    assert (1, True) == (code, "holds no transcript that can be read" in err)
