"""The episodes of a run at work: a few downloads ahead, transcriptions, one writer of library and index, side by side.

Every step of an episode is a job, and whatever goes wrong in it ends that episode only.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TypeVar

from flows.backlog import Backlog
from flows.context import MIN_FREE_DISK, RunContext
from flows.jobs import Jobs
from flows.outages import Outages
from flows.progress import Reporter
from flows.report import RunReport
from flows.speech import SpeechModels
from flows.steps import Actions, ExpiredAddresses
from ingest import pipeline
from ingest.audio.download import Audio, free_disk
from ingest.errors import AudioError, IndexingError, SoundbiteError, UnreachableError
from ingest.feeds import opt_out
from ingest.models import Episode, EpisodeRecord
from ingest.pipeline import IngestContext, Obtained
from ingest.speech.transcribe import Transcriber
from ingest.storage import is_disk_full, is_nobodys_fault
from ingest.web.credentials import host_of

# Audio files on the disk: in transcription, before the writer, coming, and two waiting that make up for a slow host;
# one more for each further transcription at a time
MAX_AUDIO = 5
READERS = 2  # publishers' transcripts fetched at once
UNWRITTEN = 4  # transcripts that wait for the writer before no more are fetched; each is in memory
LOOK_AHEAD = 50  # episodes passed over whose hosts are busy

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sound:
    """An episode whose audio is here; `episode` has the address that it came from."""

    record: EpisodeRecord
    episode: Episode
    audio: Audio


@dataclass(slots=True)
class Work:
    """What has begun and what may begin. All of it but the jobs' own work happens in the scheduler's thread."""

    context: RunContext
    reporter: Reporter
    actions: Actions
    jobs: Jobs
    report: RunReport
    outages: Outages
    models: SpeechModels
    backlog: Backlog = field(default_factory=Backlog)
    max_audio: int = MAX_AUDIO
    _held: set[str] = field(default_factory=set)  # keys of episodes whose audio is on its way or here
    _sounds: list[_Sound] = field(default_factory=list)
    _obtained: deque[tuple[EpisodeRecord, Obtained]] = field(default_factory=deque)
    _publisher_down: list[tuple[EpisodeRecord, UnreachableError]] = field(default_factory=list)
    _expired: ExpiredAddresses = field(init=False)

    def __post_init__(self) -> None:
        self._expired = ExpiredAddresses(self.ingest, self.actions)
        self.max_audio += len(self.context.spare)

    @property
    def ingest(self) -> IngestContext:
        """What the steps work with."""
        return self.context.ingest

    def start(self) -> None:
        """Begin what may begin now; what is nearest to the library comes first."""
        if self.outages.disk:
            return
        if self._obtained and not self.jobs.of("keep"):
            self._start_keeping(*self._obtained.popleft())
        while self._sounds and self.models.idle and self.models.usable:
            self._start_transcribing(self._sounds.pop(0), self.models.idle.pop())
        if self.outages.network_is_down:
            return
        while len(self.jobs.of("read")) < READERS and self._read_next():
            pass
        if self.models.needed(bool(self.backlog.audio), bool(self._sounds)):
            self.models.load_one(self.jobs, self.report, self.ingest.language)
        while self._may_download() and self._download_next():
            pass

    # -- publishers' transcripts

    def _read_next(self) -> bool:
        if not self.backlog.text or len(self._obtained) + len(self.jobs.of("read")) >= UNWRITTEN:
            return False
        key = self.backlog.text[0]
        record = self._waiting(key)
        self.backlog.take(key)
        if record:
            self._step("read", record, lambda: self._read(record), lambda found: self._read_to_end(record, found))
        return True

    def _read(self, record: EpisodeRecord) -> tuple[Obtained | None, list[str]]:
        with self.reporter.step(f"{record.episode.title}: reading the publisher's transcript"):
            return self.actions.publisher(self.ingest, record.episode, record.attempts)

    def _read_to_end(self, record: EpisodeRecord, found: tuple[Obtained | None, list[str]]) -> None:
        obtained, refused = found
        self.report.warnings += refused
        if obtained:
            self.outages.connected()
            self._obtained.append((record, obtained))
        else:
            self.backlog.back_for_audio(record.episode.key)

    # -- audio

    def _may_download(self) -> bool:
        """Whether one more download may run ahead; the first one may always, and says where the disk is full."""
        if not self.models.usable or len(self._held) >= self.max_audio:
            return False
        return not self._held or free_disk(self.context.home) > 2 * MIN_FREE_DISK

    def _download_next(self) -> bool:
        record = self._next_for_audio()
        if record is None:
            return False
        episode = record.episode

        def arrived(found: tuple[Episode, Audio]) -> None:
            self.outages.connected()
            self._sounds.append(_Sound(record, *found))
            self._sounds.sort(key=lambda sound: self.backlog.place(sound.record.episode.key))

        self._held.add(episode.key)
        self._step("download", record, lambda: self._expired.download(self.reporter, episode), arrived)
        return True

    def _next_for_audio(self) -> EpisodeRecord | None:
        """The next episode whose host sends us no other audio: a slow host holds up its own episodes alone."""
        busy, line, passed = self.jobs.of("download"), self.backlog.audio, 0
        while passed < min(LOOK_AHEAD, len(line)):
            key = line[passed]
            record = self._waiting(key)
            if record and not record.episode.audio_url:
                self._failed(record, AudioError(key, "the feed gives no audio and no transcript that can be used"))
                record = None
            host = host_of(record.episode.audio_url) if record else ""
            if record and host in busy:
                passed += 1
                continue
            self.backlog.take(key)
            if record and not self.outages.must_wait(host):
                return record
        return None

    def _start_transcribing(self, sound: _Sound, model: Transcriber) -> None:
        ingest = replace(self.ingest, transcriber=model)

        def transcribe() -> Obtained:
            with self.reporter.step(f"{sound.episode.title}: transcribing") as advance:
                return self.actions.transcribe(ingest, sound.episode, sound.audio, advance)

        def transcribed(done: Obtained) -> None:
            self._obtained.append((sound.record, done))

        self._step("transcribe", sound.record, transcribe, transcribed, lambda: self.models.idle.append(model))

    # -- the one writer of library and index

    def _start_keeping(self, record: EpisodeRecord, obtained: Obtained) -> None:
        episode = obtained.transcript.episode
        name = f"{episode.podcast}: {episode.title}"

        def keep() -> int:
            """Save, index, settle; the number of chunks."""
            document, chunks = self.actions.save(self.ingest, obtained), 0
            try:
                chunks = self.actions.index(self.context, document)
            except IndexingError as error:  # the end of the run, or `soundbite index`, tries again
                logger.warning("%s is not indexed yet: %s", name, error)
            pipeline.settle(self.ingest, episode)
            return chunks

        def kept(chunks: int) -> None:
            self._held.discard(record.episode.key)
            self.report.new.append(name)
            self.report.warnings += obtained.warnings
            self.report.chunks += chunks
            self.report.audio_seconds += obtained.audio_seconds
            self.report.work_seconds += obtained.work_seconds

        self._step("keep", record, keep, kept)

    # -- every step

    def _waiting(self, key: str) -> EpisodeRecord | None:
        """An episode that can be worked on; None where it is done, or its publisher opts out."""
        record = self.ingest.ledger.record(key)
        if record is None or record.status == "done":
            return None
        if self.ingest.respect_opt_out and (refusal := record.episode.opted_out):
            self.report.warn(f"{record.episode.podcast}: {opt_out.told(refusal, 'single episodes are')}")
            return None
        try:
            if not self.ingest.library.locate(record.episode):
                return record
            pipeline.settle(self.ingest, record.episode)  # a run that was cut short has got it already
        except Exception as error:  # noqa: BLE001 - one episode must not end the run, every run
            self._failed(record, error)
        return None

    def _step(
        self,
        kind: str,
        record: EpisodeRecord,
        work: Callable[[], T],
        then: Callable[[T], None],
        always: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin a step of an episode; whatever goes wrong with it ends with the episode. `always` follows either way."""

        def ended(job: Future[T]) -> None:
            always()
            try:
                result = job.result()
            except UnreachableError as error:
                if kind == "read":
                    self._publisher_down.append((record, error))
                if kind == "transcribe":  # a speech server that went away: what is here waits for the next run
                    self.models.usable = False
                self._held.discard(record.episode.key)
                self.outages.failed(error)
            except Exception as error:  # noqa: BLE001 - one episode must not end the run, every run
                self._held.discard(record.episode.key)
                if kind == "download" and is_disk_full(error) and self._held:
                    self.max_audio = 1  # what is here makes room once it is transcribed
                    self.backlog.back_for_audio(record.episode.key)
                else:
                    self._failed(record, error)
            else:
                then(result)

        of = host_of(record.episode.audio_url) if kind == "download" else record.episode.key
        self.jobs.start(kind, of, work, ended)

    def _failed(self, record: EpisodeRecord, error: Exception) -> None:
        """Record a failure; a full disk or a bucket that fails ends the run instead, since no episode can be blamed for it."""
        name = f"{record.episode.podcast}: {record.episode.title}"
        if not is_nobodys_fault(error):
            logger.warning("%s failed", name, exc_info=error)
            try:
                pipeline.record_failure(self.ingest, record.episode, record.attempts, error)
            except (SoundbiteError, OSError) as failure:
                logger.exception("%s: the failure could not be recorded", name)
                if is_nobodys_fault(failure):
                    self.outages.disk = pipeline.describe(failure)
            self.report.failed.append((name, pipeline.describe(error)))
        else:
            self.outages.disk = pipeline.describe(error)

    def finish(self) -> None:
        """Tell what was down; where the network was not, a publisher's host that was is left for the audio next time."""
        self.report.failed += self.outages.messages()
        if not self.outages.network_is_down:
            for record, error in self._publisher_down:
                self._failed(record, error)
