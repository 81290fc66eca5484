"""Hosts that cannot be connected to in a run, and when that means that the network is down. Pure."""

from dataclasses import dataclass, field

from ingest.errors import UnreachableError

NETWORK_DOWN = 3  # requests in a row that could not connect, to any hosts; one host alone is left out of the run


@dataclass(slots=True)
class Outages:
    """`waiting` counts, for each host that is down, the requests that wait for the next run."""

    waiting: dict[str, int] = field(default_factory=dict)
    in_a_row: int = 0

    @property
    def network_is_down(self) -> bool:
        """Whether one request after the other could not connect."""
        return self.in_a_row >= NETWORK_DOWN

    def connected(self) -> None:
        """A host has answered."""
        self.in_a_row = 0

    def failed(self, error: UnreachableError) -> None:
        """A host could not be connected to."""
        self.waiting[error.host] = self.waiting.get(error.host, 0) + 1
        self.in_a_row += 1

    def must_wait(self, host: str) -> bool:
        """Whether a host is down, so that a request to it waits."""
        if host in self.waiting:
            self.waiting[host] += 1
        return host in self.waiting

    def messages(self) -> list[tuple[str, str]]:
        """What is down and why, in one line each: the network, or single hosts."""
        if self.network_is_down:
            hosts = ", ".join(sorted(self.waiting))
            return [("network", f"no connection to {hosts}; check the network and run again, nothing was given up")]
        return [
            (host, f"cannot be connected to; what waits for it ({count}) is tried in the next run")
            for host, count in self.waiting.items()
        ]
