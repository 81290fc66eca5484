"""The command `soundbite`: where settings are read, errors become one line, and exit codes are kept.

0 done, 1 something failed (said which), 2 wrong usage.
"""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import search
from ingest.errors import QueryError, SettingsError, SoundbiteError
from ingest.settings import VERSION, read_settings
from ingest.storage import home_error, is_disk_full

NO_TEXT = "holds bytes that are no UTF-8; only the name of a file that is there may"

app = typer.Typer(
    name="soundbite",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Podcasts in, quotable moments out: poll feeds, transcribe episodes, search what was said and play it.\n\n"
    'First steps: `soundbite add FEED_URL`, `soundbite run --latest 1`, `soundbite search "a question"`.',
    epilog="Settings come from the environment (SOUNDBITE_HOME, SOUNDBITE_WHISPER_MODEL, ...); `soundbite doctor` shows them.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"soundbite {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Where all state lives (SOUNDBITE_HOME; default ~/.soundbite).", show_default=False),
    ] = None,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Read the settings once; `--home` counts for the processes a command starts, too."""
    if home is not None:
        os.environ["SOUNDBITE_HOME"] = str(home.expanduser().absolute())
    context.obj = read_settings()


def _register(arguments: Sequence[str]) -> None:
    """Add the commands; for a search no others, whose imports take 0.2 s."""
    groups = [search.app]
    light = {command.callback.__name__ for command in search.app.registered_commands if command.callback}
    rest = arguments[2:] if arguments[:1] == ["--home"] else arguments
    if not light.intersection(rest[:1]):
        from flows.cli import add, admin, agents, alerts, feeds, keys, run, transcribe, transcripts

        groups = [
            add.app,
            feeds.app,
            run.app,
            search.app,
            transcripts.app,
            transcribe.app,
            alerts.app,
            keys.app,
            agents.app,
            admin.app,
        ]
    app.registered_commands = [command for group in groups for command in group.registered_commands]
    app.registered_groups = [part for group in groups for part in group.registered_groups]


def hoist_home(arguments: list[str]) -> list[str]:
    """`--home DIR` moved to the front, so that it may stand anywhere before `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for position, argument in enumerate(arguments[:end]):
        width = 2 if argument == "--home" else 1
        if argument == "--home" or argument.startswith("--home="):
            taken = arguments[position : position + width]
            return taken + arguments[:position] + arguments[position + width :]
    return arguments


def check_text(arguments: Sequence[str]) -> None:
    """Raises `QueryError` for an argument that is no UTF-8, unless it is a file's name, which may hold any bytes.

    The message does not repeat the argument, which may be a password.
    """
    for number, argument in enumerate(arguments, 1):
        name = argument.partition("=")[2] if argument.startswith("--") else argument
        if not _is_text(argument) and not os.path.lexists(name):
            raise QueryError(f"argument {number}", NO_TEXT)


def _is_text(given: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in given)  # how Python keeps bytes that are no UTF-8


def _end_at_once_beside_jobs(code: int) -> None:
    """End the process here where threads of a run are at work: libraries in C crash when they are unloaded at work."""
    jobs = sys.modules.get("flows.jobs")
    if jobs and jobs.left_behind():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell(error: SoundbiteError) -> None:
    print(f"soundbite: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201


def _of_file(error: OSError) -> SoundbiteError:
    if is_disk_full(error):
        return home_error(error.filename or "a file", error)
    return SoundbiteError(error.filename, f"cannot be used ({error.strerror}); check the disk and the permissions")


def main() -> None:
    """Run the command line; every expected failure is one line on stderr."""
    arguments = hoist_home(sys.argv[1:])
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold any bytes; stderr does so by itself
    try:
        check_text(sys.argv[1:])
        _register(arguments)
        app(arguments)
    except SoundbiteError as error:
        _tell(error)
        raise SystemExit(2 if isinstance(error, QueryError | SettingsError) else 1) from None
    except KeyboardInterrupt:
        print("soundbite: stopped; the same command goes on from here", file=sys.stderr)  # noqa: T201
        _end_at_once_beside_jobs(130)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; so do we, quietly
        raise SystemExit(0) from None
    except UnicodeEncodeError:
        if all(map(_is_text, (*arguments, os.environ.get("SOUNDBITE_HOME", "")))):
            raise
        _tell(QueryError("an argument or the home", NO_TEXT))
        raise SystemExit(2) from None
    except OSError as error:
        if error.filename is None and not is_disk_full(error):
            raise
        _tell(_of_file(error))
        raise SystemExit(1) from None
