"""The command `eval`: how well the index answers questions whose answers somebody has judged."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import output as terminal
from flows.cli.options import Json, settings_of
from flows.cli.search import Mode
from index.open import open_searcher
from index.search import Searcher
from ingest.errors import IndexingError, QueryError
from ingest.library import Library
from ingest.transcripts.document import text_body
from tests.benchmarks import judge
from tests.benchmarks.questions import EVERYTHING, Judged, read_questions, tokens

SHOWN = 3  # hits that came instead of a missed one
QUOTED = 240  # characters of each

HELP = (
    "Score the index with judged questions: is the right passage found, how far up, how fast.\n\n"
    'A line of QUESTIONS is {"question": "…", "type": "…", "episode_id": "…", "span": "…"}: what a person would ask, a '
    "group of your own to count it in, the episode (its id, key or title), and the words there that answer. In place of "
    "`span`, `start` and `end` tell seconds, `first` and `last` words of the transcript, counted from 0. `alt_spans` may "
    'list places that answer as well: [{"episode_id": "…", "span": "…"}]. Where nothing answers, give no place at all.'
    "\n\nA passage is right when it is from that episode and holds those words whole. hit@10 is the share of questions "
    "with a right passage among ten hits, MRR@10 the mean of 1 / its rank, nDCG@10 likewise but kinder to low ranks. An "
    "episode is right whatever its passage. With few questions look at the interval, not at the figure.\n\n"
    "Questions without an answer are scored apart: precision and recall of calling an answer weak, and AUC, how often "
    "the best hit of a question that has an answer scores above the best of one that has none.\n\n"
    "As a gate, for example: --least hit@10=0.9 --least episode.MRR@10=0.8 --least named.hit@1=0.7 --least "
    "abstention.recall=0.5"
)

app = typer.Typer()


@app.command("eval", help=HELP)
def evaluate(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    questions: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Judged questions, one JSON object a line.")
    ],
    mode: Annotated[Mode, typer.Option(help="By words and meaning, by meaning, or by words.")] = Mode.hybrid,
    compare: Annotated[
        Mode | None, typer.Option(help="Search in this mode too, and tell whether the difference may be chance.")
    ] = None,
    misses: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show the first N questions without the right passage.")
    ] = 0,
    least: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE=VALUE", help="Fail (exit 1) when a figure is below; may be given again."),
    ] = None,
    json: Json = False,
) -> None:
    """Score the index; see `HELP`."""
    settings = settings_of(context)
    floors = dict(_floor(text) for text in least or ())
    asked = read_file(questions, Library(settings.library_dir))
    searcher = open_searcher(settings)
    outcomes = _ask(searcher, asked, mode)
    document = {"mode": mode.value, **judge.report(outcomes)}
    if compare:
        others = _ask(searcher, asked, compare)
        document["compared"] = {"mode": compare.value, **judge.difference(outcomes, others)}
    document["misses"] = list(_misses(outcomes, misses))
    document["not_indexed"] = sorted(_strangers(searcher, asked))
    terminal.emit(document) if json else _show(document)
    _hold(judge.by_name(document), floors)


def read_file(path: Path, library: Library) -> list[Judged]:
    """The judged questions of a file; places counted in words are looked up in the library. Raises `QueryError`."""

    @cache
    def words_of(episode: str) -> Sequence[str]:
        return tokens(text_body(library.read(library.find(episode)).turns))

    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(path, f"cannot be read ({error}); give a file of JSON lines") from error
    return read_questions(lines, str(path), words_of)


def _ask(searcher: Searcher, asked: Sequence[Judged], mode: Mode) -> list[judge.Outcome]:
    with terminal.reporting() as reporter, reporter.step(f"Asking {len(asked)} questions ({mode.value})") as advance:
        return judge.ask(searcher, asked, mode.value, lambda done: advance(done, len(asked)))


def _floor(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not FIGURE=VALUE; write hit@10=0.9") from error


def _hold(figures: dict[str, float | None], floors: dict[str, float]) -> None:
    """Raises `QueryError` for a figure that there is not, `IndexingError` where one is below its floor."""
    for name in floors:
        if name not in figures:
            raise QueryError(name, f"no such figure; {_names(figures)}")
    told = {name: "unknown" if figures[name] is None else f"{figures[name]:.3f}" for name in floors}
    below = [
        f"{name} is {told[name]}, not {floor:g}" for name, floor in floors.items() if not _reached(figures[name], floor)
    ]
    if below:
        raise IndexingError("", f"below what was asked for: {'; '.join(below)}")


def _names(figures: dict[str, float | None]) -> str:
    types = sorted({name.split(".episode.")[0] for name in figures if ".episode." in name})
    silence = [name for name in figures if name.startswith("abstention.")]
    return (
        f"take one of {', '.join(judge.FIGURES)}, after `episode.` for the right episode whatever the passage, "
        f"after a type ({', '.join(types)}) for its questions alone, or {', '.join(silence)}"
    )


def _reached(value: float | None, floor: float) -> bool:
    return value is not None and value >= floor


def _strangers(searcher: Searcher, asked: Sequence[Judged]) -> set[str]:
    """Episodes that questions name and the index does not hold."""
    held = {name for e in searcher.store.episodes() for name in (e.guid, e.key, e.key[:8], e.title)}
    return {place.episode for one in asked for place in one.places} - held


def _misses(outcomes: Sequence[judge.Outcome], count: int) -> Iterator[dict[str, Any]]:
    missed = [one for one in outcomes if one.judged.places and not one.passage]
    for one in missed[:count]:
        came = [
            {"title": hit.title, "episode_id": hit.episode_id, "start": hit.start, "score": hit.score, "text": hit.text}
            for hit in one.answer.hits[:SHOWN]
        ]
        yield {**asdict(one.judged), "episode_rank": one.episode or None, "came": came}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _show(document: dict[str, Any]) -> None:
    rows = [
        (kind if of == "passage" else "", group["n"] if of == "passage" else "", of, *map(_figure, group[of].values()))
        for kind, group in document["by_type"].items()
        for of in ("passage", "episode")
    ]
    terminal.table(("questions", "n", "right", *judge.FIGURES), rows)
    everything = document["by_type"][EVERYTHING]["passage"]
    for name, bounds in document["interval"].items():
        if bounds:
            typer.echo(f"{name} {_figure(everything[name])}, 95 % interval {bounds[0]:.3f} to {bounds[1]:.3f}")
    if compared := document.get("compared"):
        _show_difference(document["mode"], compared)
    weak = document["abstention"]
    typer.echo(
        f"Weak answers: precision {_figure(weak['precision'])}, recall {_figure(weak['recall'])} of "
        f"{document['questions'] - document['answerable']} without an answer; AUC of the best score {_figure(weak['AUC'])}"
    )
    took = document["ms"]
    typer.echo(
        f"{document['passage_words'] or 0:g} words a passage; {took['median']:.1f} ms, 95 % within {took['p95']:.1f}"
    )
    for miss in document["misses"]:
        _show_miss(miss)
    if absent := document["not_indexed"]:
        terminal.say(f"Not in the index, so never found: {', '.join(absent)}")


def _show_difference(mode: str, compared: dict[str, Any]) -> None:
    for name in judge.INTERVALS:
        found, bounds = compared[name]["difference"], compared[name]["interval"]
        if bounds:
            verdict = "may be chance" if bounds[0] <= 0 <= bounds[1] else "more than chance"
            typer.echo(
                f"{name} of {mode} less {compared['mode']} {found:+.3f}, "
                f"95 % interval {bounds[0]:+.3f} to {bounds[1]:+.3f}: {verdict}"
            )


def _show_miss(miss: dict[str, Any]) -> None:
    typer.echo(f"\n{miss['id']} ({miss['type']}): {miss['question']}")
    for place in miss["places"]:
        where = place["span"] or "{} to {} s".format(*place["seconds"])
        typer.echo(f"  wanted  {place['episode']}: {where}")
    for hit in miss["came"]:
        when = "" if hit["start"] is None else f" {terminal.timestamp(hit['start'])}"
        typer.echo(f"  {hit['score']:.3f}  {hit['title']}{when}: {' '.join(hit['text'].split())[:QUOTED]}")
