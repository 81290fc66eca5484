"""The Quota Room: a podcast of our own, so that the demo and the tests need no network and nobody else's words.

- `scripts/`: four short conversations about selling and managing sellers, `Name: sentence`, written by us.
- `make_audio.py`: voices them with Kokoro; writes `audio/`, `times.json` (the true start and end second of each line),
  `turns/` (who speaks when, RTTM) and `transcripts/` (the captions that one episode's publisher gives:
  objections-and-discounts).
- `feed.xml`: the feed as a template, with the oddities of real feeds; `{base}` becomes the host's URL.
- `host.py`: a real HTTP server on the loopback that serves it all: `python -m tests.sample.host`.
- `demo.py`: `make demo`, the main job as a person would do it.
- `questions.jsonl`: questions with the episode and the words that answer them, and some that nothing here answers.

All of it is written to `audio/` etc. once and committed: only `make_audio.py` needs the voices.
"""
