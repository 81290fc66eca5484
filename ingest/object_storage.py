"""Named documents in a bucket, by S3's protocol. Keys, region and endpoint are those of the environment (`AWS_…`)."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ingest.errors import ConflictError, SettingsError, StorageError
from ingest.lease import Lease
from ingest.storage import OTHER_WROTE, Entry

SCHEME = "s3://"
LEASE = "LOCK"  # the document that says who may write
MOST_DELETED = 1000  # in one request (S3, DeleteObjects)
# A bucket that does not answer is told within half a minute; the client's own defaults take three.
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_CLIENT = {"connect_timeout": "5s", "timeout": "30s"}
_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
# What answers and errors contain, and what is wrong then; the first that is found counts.
_CAUSES = (
    ("NoSuchBucket|InvalidBucketName", "there is no such bucket; make it, or correct the address"),
    (
        "SignatureDoesNotMatch|InvalidAccessKeyId|ExpiredToken|InvalidToken|401 Unauth|status: 401",
        f"refuses the keys; {_KEYS}",
    ),
    ("path segment", "holds a name with an empty part or only dots (`a//b`, `a/../b`), which must be renamed"),
    ("169.254.|CredentialsNotLoaded|no providers in chain", f"needs keys; {_KEYS}"),
    ("PermanentRedirect|AuthorizationHeaderMalformed|301 Moved", "is in another region; set AWS_REGION"),
    (
        "AccessDenied|403 Forbidden|status: 403",
        "refuses; give the keys the rights to list, read, write and delete there",
    ),
    ("SlowDown|503 Service|status: 503", "asks for fewer requests; try again later"),
    (
        "error sending request|kind: Connect|timed out|builder error",
        "cannot be reached; check AWS_ENDPOINT_URL and the network",
    ),
)


def explained(text: str) -> str:
    """What to do about an error of a bucket, by its text, which may be long and quote the request; empty where unknown."""
    return next((cause for pattern, cause in _CAUSES if re.search(pattern, text)), "")


def client_options() -> dict[str, str]:
    """What a client is told beside the environment: how long to wait, and that an endpoint with http:// is meant so."""
    return _CLIENT | {"allow_http": str(os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")).lower()}


class ObjectStorage:
    """`Storage` at `s3://bucket/prefix`. Raises `SettingsError` where the package for it is not installed."""

    remote = True

    def __init__(self, url: str) -> None:
        try:
            from obstore.store import S3Store
        except ImportError as error:
            raise SettingsError(url, "needs one more package: pip install 'soundbite[cluster]'") from error
        self.url = url.rstrip("/")
        bucket, _, prefix = self.url.removeprefix(SCHEME).partition("/")
        options = client_options()
        allow_http = options.pop("allow_http") == "true"
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={**options, "allow_http": allow_http},  # type: ignore[arg-type]
            retry_config=_RETRIES,  # type: ignore[arg-type]
        )
        self._lease: Lease | None = None

    def where(self, name: str = "") -> str:
        """See `Storage`."""
        return f"{self.url}/{name}".rstrip("/")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """By a lease, since no lock ends with a process of another machine; see `Storage` and `Lease`."""
        lease = Lease(self, LEASE)
        with lease.held():
            self._lease = lease
            try:
                yield
            finally:
                self._lease = None

    def check_exclusive(self) -> None:
        """See `Storage`."""
        if self._lease:
            self._lease.check()

    def put(self, name: str, content: bytes, over: str | None = None) -> str:
        """See `Storage`; in one request."""
        mode = "overwrite" if over is None else {"e_tag": over} if over else "create"
        try:
            with self._translated():
                done = self._store.put(name, content, mode=mode, use_multipart=False)  # type: ignore[arg-type]
            return done["e_tag"] or ""
        except ConflictError:
            try:
                there, version = self.read(name)
            except FileNotFoundError:
                there, version = b"", ""
            if version and there == content:  # by this very request: its first answer was lost, it was sent again
                return version
            raise

    def read(self, name: str) -> tuple[bytes, str]:
        """See `Storage`."""
        with self._translated():
            found = self._store.get(name)
            return bytes(found.bytes()), found.meta["e_tag"] or ""

    def head(self, name: str, count: int) -> bytes:
        """See `Storage`."""
        from obstore.exceptions import BaseError

        with self._translated():
            try:
                return bytes(self._store.get(name, options={"range": (0, count)}).bytes())
            except BaseError as error:
                if "416 " in str(error):  # an empty one has no range
                    return b""
                raise

    def version(self, name: str) -> str:
        """The entity tag."""
        try:
            with self._translated():
                return self._store.head(name)["e_tag"] or ""
        except FileNotFoundError:
            return ""

    def listing(self, folder: str = "") -> dict[str, Entry]:
        """See `Storage`; a request for each thousand."""
        with self._translated():
            found = [meta for batch in self._store.list(folder or None) for meta in batch]
        return {
            meta["path"]: Entry(meta["e_tag"] or "", meta["size"], meta["last_modified"].timestamp())
            for meta in sorted(found, key=lambda meta: meta["path"])
            if not re.search(r"(^|/)\.", meta["path"])
        }

    def folders(self) -> list[str]:
        """See `Storage`; a request for each thousand documents, since SeaweedFS names folders that are empty."""
        return sorted({name.partition("/")[0] for name in self.listing() if "/" in name})

    def delete(self, name: str) -> None:
        """See `Storage`."""
        with self._translated():
            self._store.delete(name)

    def delete_folder(self, name: str) -> None:
        """See `Storage`."""
        with self._translated():
            paths = [meta["path"] for batch in self._store.list(name) for meta in batch]
            for begin in range(0, len(paths), MOST_DELETED):
                self._store.delete(paths[begin : begin + MOST_DELETED])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The client's errors as `Storage` promises them; their own texts quote requests and stay out of messages."""
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            yield
        except (AlreadyExistsError, PreconditionError):
            raise ConflictError(self.url, OTHER_WROTE) from None
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StorageError(self.url, explained(str(error))) from None
            raise FileNotFoundError(errno.ENOENT, "is not there", self.url) from None
        except ValueError as error:  # no name that a document can have, such as `a//b`
            raise FileNotFoundError(errno.ENOENT, "is no name", self.url) from error
        except BaseError as error:
            text = str(error)
            code = re.search(r"<Code>(\w+)</Code>|status code: (\d+)", text)
            unknown = f"fails ({next(filter(None, code.groups())) if code else type(error).__name__}); try again later"
            raise StorageError(self.url, explained(text) or unknown) from None
