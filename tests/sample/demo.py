"""`make demo`: the main job on the sample podcast, with the commands a person would type, each shown before it runs."""

import os
import shlex
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from tests.sample import host

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".demo"
MODEL = "tiny.en"  # of the sample it writes 1.6 % of the words wrong, base 2.0 % in twice the time
SOUNDBITE = Path(sys.executable).parent / "soundbite"
QUESTIONS = ("how do I review the pipeline with my team?", "when should a seller give a discount?")
NEXT = """
What to try next (the commands run in {root}):

  the page, with hits that play    {env} {soundbite} serve
  the host, so that links play     {python} -m tests.sample.host
  another question                 {env} {soundbite} search "how do I open a cold call?"
  a transcript of your own         {soundbite} import FILE...
  a real podcast                   {soundbite} add FEED_URL, then {soundbite} run --latest 1

Without SOUNDBITE_HOME={home} everything goes to ~/.soundbite. `make clean` forgets this demo.
"""


def environment(home: Path) -> dict[str, str]:
    """The environment of every command: its own home, this machine as a host, a small published model, no model hub."""
    return os.environ | {
        "SOUNDBITE_HOME": str(home),
        "SOUNDBITE_ALLOW_HOSTS": "127.0.0.1",
        "SOUNDBITE_WHISPER_MODEL": MODEL,
        "SOUNDBITE_SPEAKERS": "auto",  # so that each hit says who speaks; six seconds of the demo's 43
        "HF_HUB_OFFLINE": "1",
    }


def step(words: str, *arguments: str, home: Path) -> None:
    """Say what comes, show the command, run it; leave with its exit code if it fails."""
    print(f"\n# {words}\n$ soundbite {shlex.join(arguments)}", flush=True)
    code = subprocess.run([SOUNDBITE, *arguments], env=environment(home), cwd=ROOT, check=False).returncode
    if code:
        print(f"\nThe demo stops: `soundbite {shlex.join(arguments)}` failed with exit code {code}.", file=sys.stderr)
        print(f"If an earlier version made {shown(home)}, remove it and try again.", file=sys.stderr)
        raise SystemExit(code)


def transcripts(home: Path) -> dict[Path, int]:
    """When each transcript in the library was written, in nanoseconds."""
    return {path: path.stat().st_mtime_ns for path in (home / "library").rglob("*.md")}


def already_running(port: int) -> str:
    """The base URL of our own host where it runs already; leaves with one line where something else has the port."""
    base = f"http://127.0.0.1:{port}"
    try:
        with urlopen(f"{base}/feed.xml", timeout=5) as answer:
            if answer.read() == host.fill_feed(base):
                return base
    except OSError:
        pass
    raise SystemExit(
        f"Port {port} of 127.0.0.1 is taken: the demo's host needs it. Stop what runs there and try again."
    )


def tour(base: str, home: Path) -> None:
    """From the feed to two answers."""
    step("Subscribe to the sample podcast", "add", f"{base}/feed.xml", home=home)
    step("Poll the feed, fetch what is new, turn it into text, index it", "run", home=home)
    for question in QUESTIONS:
        step("Ask", "search", question, "--limit", "3", home=home)


def shown(path: Path) -> str:
    """A path as one would type it in the repository."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def demo(home: Path = HOME, port: int = host.PORT) -> None:
    """Serve the sample podcast, go the whole way, say what was done and what to try next."""
    if not SOUNDBITE.exists():
        raise SystemExit(f"There is no {SOUNDBITE}: run `make demo`, which installs it first.")
    began, before = time.monotonic(), transcripts(home)
    with ExitStack() as stack:
        try:
            base = stack.enter_context(host.serve(port))
        except OSError:
            base = already_running(port)
        print(f"The Quota Room, a podcast of our own, is served at {base}/feed.xml")
        tour(base, home)
    after = transcripts(home)
    print(f"\nDone in {time.monotonic() - began:.0f} s: {len(after)} transcripts lie in {shown(home / 'library')}.")
    if after and before == after:
        print("No work was done twice: all of them are from an earlier run.")
    env = f"SOUNDBITE_HOME={shown(home)} SOUNDBITE_ALLOW_HOSTS=127.0.0.1"
    python, soundbite = shown(Path(sys.executable)), shown(SOUNDBITE)
    print(NEXT.format(root=ROOT, env=env, home=shown(home), python=python, soundbite=soundbite))


if __name__ == "__main__":
    demo()
