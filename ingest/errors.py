"""Everything that can go wrong, in one tree; each error names its subject and says what to do.

SoundbiteError
├── SettingsError          a setting has no such name or value (exit code 2)
├── HomeError              the home directory, or a file in it, cannot be used
│   ├── DamagedLedgerError     the ledger's file is damaged; library and index do not need it
│   ├── LedgerUnreachableError the ledger's server cannot be reached; library and index do not need it
│   ├── ConflictError          another has written it meanwhile, or has that place
│   ├── DiskFullError          there is no room left
│   └── StorageError           a bucket cannot be reached, or refuses
├── FetchError             something could not be fetched
│   ├── BlockedAddressError    the address is not public and no setting allows it
│   └── UnreachableError       the host cannot be connected to: it or the network is down
├── FeedError              what was fetched is not a feed we can read
├── AudioError             the audio cannot be downloaded or decoded
│   └── NoSpeechError          nobody speaks in it
├── TranscriptError        a transcript cannot be read
│   └── UnknownFormatError     it is in a format that is not read
├── TranscriptionError     the speech model cannot be loaded or fails
├── NotFoundError          no such episode, podcast or feed here
│   ├── PodcastNotFoundError   no such podcast, with the names that are near
│   ├── PassageNotFoundError   no such passage
│   └── AlertNotFoundError     no such standing question
└── IndexingError          the index cannot be built or read
    ├── IndexNotBuiltError     there is nothing to search yet
    ├── IndexMismatchError     the index was built with another model or schema
    └── QueryError             the query cannot be asked (also a ValueError)
        ├── LanguageError          it names no language
        └── CursorError            its cursor is of another question
"""


class SoundbiteError(Exception):
    """Base of all: `subject` is the URL, path or name it is about, `message` one line that says what to do."""

    def __init__(self, subject: object, message: str) -> None:
        super().__init__(subject, message)
        self.subject = str(subject)
        self.message = message

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}" if self.subject else self.message


class SettingsError(SoundbiteError):
    """A setting has no such name or value."""


class HomeError(SoundbiteError):
    """The home directory, or a file in it, cannot be used."""


class DamagedLedgerError(HomeError):
    """The ledger's file is damaged; library and index are whole without it."""


class LedgerUnreachableError(HomeError):
    """The ledger's server cannot be reached; library and index are whole without it."""


class ConflictError(HomeError):
    """Another has written a document meanwhile, or has that place in the ledger, so that it is not overwritten unseen."""


class DiskFullError(HomeError):
    """There is no room left; no episode's fault."""


class StorageError(HomeError):
    """A bucket cannot be reached, or refuses; no episode's fault."""


class FetchError(SoundbiteError):
    """Something could not be fetched; `status` is the HTTP status where there was an answer.

    `retry_after` is how many seconds the host asked to be left alone, None where it asked nothing.
    """

    def __init__(
        self, subject: object, message: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(subject, message)
        self.status = status
        self.retry_after = retry_after


class BlockedAddressError(FetchError):
    """The address is not public and no setting allows it."""


class UnreachableError(FetchError):
    """The host cannot be connected to: it or the network is down; no episode's fault."""

    def __init__(self, subject: object, message: str, host: str = "") -> None:
        super().__init__(subject, message)
        self.host = host


class FeedError(SoundbiteError):
    """What was fetched is not a feed we can read."""


class AudioError(SoundbiteError):
    """The audio cannot be downloaded or decoded; `transient` where the same request may do better in a moment."""

    def __init__(self, subject: object, message: str, *, transient: bool = False) -> None:
        super().__init__(subject, message)
        self.transient = transient


class NoSpeechError(AudioError):
    """Nobody speaks in the audio, so that there is nothing to try again."""


class TranscriptError(SoundbiteError):
    """A transcript cannot be read."""


class UnknownFormatError(TranscriptError):
    """It is in a format that is not read, or no transcript at all; the format is named."""


class TranscriptionError(SoundbiteError):
    """The speech model cannot be loaded or fails."""


class NotFoundError(SoundbiteError):
    """No such episode, podcast or feed here."""


class PodcastNotFoundError(NotFoundError):
    """No such podcast here; the message says which names are near."""


class AlertNotFoundError(NotFoundError):
    """No such standing question here."""


class PassageNotFoundError(NotFoundError):
    """No such passage here."""


class IndexingError(SoundbiteError):
    """The index cannot be built or read."""


class IndexNotBuiltError(IndexingError):
    """There is nothing to search yet."""


class IndexMismatchError(IndexingError):
    """The index was built with another model or schema."""


class QueryError(IndexingError, ValueError):
    """The query cannot be asked."""


class LanguageError(QueryError):
    """The query's language is none."""


class CursorError(QueryError):
    """The query's cursor is of another question, or of other options."""


def first_line(error: Exception) -> str:
    """What an exception says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
