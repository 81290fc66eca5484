"""A publisher's newer transcript is taken unless much of the text is gone; what it had more is kept."""

import pytest

from tests.flows.test_run import SOUND, feed, opened, read, run
from tests.flows.test_steps import subscribe
from tests.podcast_host import PodcastHost, document

SAID = (  # each, with its number, of ten words
    "Ask for the next meeting before you hang up.",
    "Write the price into the second line of it.",
    "Then wait for a while and count to nine.",
)


@pytest.fixture
def published(tmp_path):
    with PodcastHost() as host, opened(tmp_path / "home") as context:
        host.serve("/audio/two.mp3", document(SOUND, "audio/mpeg"))
        yield Published(context, host)


class Published:
    """A feed whose one episode has an SRT of 200 cues in ten minutes; `cues` are the numbers of those that it has now."""

    def __init__(self, context, host):
        self.context, self.cues, self.duration = context, range(200), ""
        host.serve("/feed.xml", self.feed)
        host.serve("/two.srt", self.transcript)
        subscribe(context, host.url("/feed.xml"))
        run(context)
        self.first = self.path().read_text()

    def feed(self, asked):
        more = f'<podcast:transcript url="/two.srt" type="application/srt"/><category>{len(self.cues)}</category>'
        return document(feed("two", more=more + self.duration))(asked)

    def transcript(self, asked):
        cue = "{}\n00:{:02}:{:02},000 --> 00:{:02}:{:02},000\n{} {}\n\n"
        times = [(*divmod(3 * number, 60), *divmod(3 * number + 3, 60)) for number in self.cues]
        cues = (cue.format(n, *at, SAID[n % 3], n) for n, at in zip(self.cues, times, strict=True))
        return document("".join(cues).encode(), "application/srt")(asked)

    def path(self):
        (found,) = self.context.ingest.library.documents()
        return self.context.ingest.library.root / found.name

    def copies(self):
        return {copy.name.split(".")[-2][:7]: copy.read_text() for copy in self.path().parent.glob("*.e*-*.md")}

    def warnings(self):
        return [warning for warning in run(self.context).warnings if "transcript" in warning]


@pytest.mark.parametrize(
    ("cues", "said"),
    [
        (range(3), "is not taken: http"),
        (range(159), "has 1590 words of 2000"),
        ([*range(100), 199], "has 1010 words of 2000"),
        ([*range(20), *range(100, 160)], "has 800 words of 2000"),
    ],
)
def test_a_transcript_that_lost_much_of_its_text_is_not_taken_and_that_is_said(published, cues, said):
    published.cues = cues

    (warning,) = published.warnings()

    assert "'Episode two': its publisher's newer transcript" in warning
    assert said in warning
    assert (published.first, {}) == (published.path().read_text(), published.copies())


@pytest.mark.parametrize("cues", [range(199), range(165), [*range(40), *range(60, 200)]])
def test_one_that_lost_a_little_is_taken_and_the_earlier_text_is_kept(published, cues):
    published.cues = cues

    (warning,) = published.warnings()

    assert "corrected: the transcript of 'Episode two'" in warning
    assert len(cues) == len(read(published.context, "two").segments)
    assert {"earlier": published.first} == published.copies()
    assert 1 == len(published.context.ingest.library.documents())


@pytest.mark.parametrize("cues", [range(200, 400), range(230), [*range(100), *range(200, 300)]])
def test_one_with_as_many_words_leaves_no_copy(published, cues):
    published.cues = cues

    (warning,) = published.warnings()

    assert "corrected" in warning
    assert {} == published.copies()


def test_a_shorter_one_of_shorter_audio_is_taken(published):
    published.duration, published.cues = "<itunes:duration>600</itunes:duration>", range(199)
    published.warnings()
    published.duration, published.cues = "<itunes:duration>300</itunes:duration>", range(100)

    assert ["corrected"] == [warning.rpartition("corrected")[1] for warning in published.warnings()]
    assert 100 == len(read(published.context, "two").segments)
    assert 2 == len(list(published.path().parent.glob("*.earlier-*.md")))


def test_the_words_of_an_edited_document_stay(published):
    published.path().write_text(edited := published.first.replace("second line", "third line"))
    published.cues = range(190)

    (warning,) = published.warnings()

    assert "was edited here" in warning
    assert (edited, {}) == (published.path().read_text(), published.copies())
