"""What no episode can be blamed for in a run: hosts that cannot be connected to, the whole network, a full disk. Pure."""

from dataclasses import dataclass, field

from ingest.errors import UnreachableError

NETWORK_DOWN = 3  # hosts one after the other that could not be connected to; one host alone is left out of the run


@dataclass(slots=True)
class Outages:
    """`waiting` counts, for each host that is down, the requests that wait for the next run; `disk` says what is full."""

    waiting: dict[str, int] = field(default_factory=dict)
    disk: str = ""
    _since_answer: set[str] = field(default_factory=set)

    @property
    def network_is_down(self) -> bool:
        """Whether one host after the other could not be connected to."""
        return len(self._since_answer) >= NETWORK_DOWN

    def connected(self) -> None:
        """A host has answered."""
        if not self.network_is_down:
            self._since_answer.clear()

    def failed(self, error: UnreachableError) -> None:
        """A host could not be connected to."""
        self.waiting[error.host] = self.waiting.get(error.host, 0) + 1
        self._since_answer.add(error.host)

    def must_wait(self, host: str) -> bool:
        """Whether a host is down, so that a request to it waits."""
        if host in self.waiting:
            self.waiting[host] += 1
        return host in self.waiting

    def messages(self) -> list[tuple[str, str]]:
        """What is down or full and why, in one line each: the disk, the network, or single hosts."""
        full = [("disk", f"{self.disk}; the run stops here, nothing was given up")] if self.disk else []
        if self.network_is_down:
            hosts = ", ".join(sorted(self.waiting))
            down = f"no connection to {hosts}; check the network and run again, nothing was given up"
            return [*full, ("network", down)]
        waits = "cannot be connected to; what waits for it ({}) is tried in the next run"
        return full + [(host, waits.format(count)) for host, count in self.waiting.items()]
