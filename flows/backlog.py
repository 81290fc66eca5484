"""The episodes that wait in a run, in two lines, so that publishers' transcripts do not wait behind audio. Pure."""

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backlog:
    """Keys of episodes, newest first: in `text` where the publisher offers a transcript, in `audio` where not, or in vain.

    `taken` are those worked on in this run, now or before.
    """

    text: list[str] = field(default_factory=list)
    audio: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    _in_vain: set[str] = field(default_factory=set)
    _place: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.text) + len(self.audio)

    def fill(self, due: Sequence[str], captioned: Collection[str]) -> None:
        """Line up what is due, newest first; `captioned` are those with a publisher's transcript."""
        self._place = {key: place for place, key in enumerate(due)}
        waiting = [key for key in due if key not in self.taken]
        read = set(captioned) - self._in_vain
        self.text = [key for key in waiting if key in read]
        self.audio = [key for key in waiting if key not in read]

    def place(self, key: str) -> int:
        """Where an episode stands among all that are due; before them where it is not due by now."""
        return self._place.get(key, -1)

    def take(self, key: str) -> None:
        """Work on an episode begins."""
        self.taken.add(key)
        for line in (self.text, self.audio):
            if key in line:
                line.remove(key)

    def back_for_audio(self, key: str) -> None:
        """An episode that was taken waits for its audio, in its place."""
        self._in_vain.add(key)
        self.taken.discard(key)
        insort(self.audio, key, key=self.place)
