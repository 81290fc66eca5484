"""Languages: which one a transcript is in, its frequent words, and which it shares a stemmer with; pure."""

import re
from collections import Counter
from functools import lru_cache
from itertools import islice

from ingest.languages import primary_language
from ingest.models import Transcript

SAMPLE_WORDS = 2_000  # of a transcript whose language nobody states; a few hundred tell languages apart
ENGLISH = "en"

# Snowball's algorithms by the code of their language. A language without one is not stemmed.
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english", "et": "estonian",
    "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "it": "italian", "no": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip

# The words that hold sentences together, of which some are in every other sentence. They tell languages apart, and
# searching for them finds nothing. English has Lucene's list (EnglishAnalyzer), which leaves "who" and "how" alone.
_FUNCTION_WORDS = {
    "en": "a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
          "this to was will with",
    "de": "der die das den dem des ein eine einen einem einer und oder aber ist sind war nicht auch auf aus bei mit "
          "nach von vor zu zum zur im in an als wie wir ich sie es er ihr dass wenn für über um so noch nur man hat",
    "nl": "de het een en of maar is zijn was niet ook op uit bij met naar van voor te om als wij ik ze je dat die dit "
          "er hij aan dan nog wel heeft",
    "fr": "le la les l un une des du de d et ou mais est sont était ne pas que qui dans en sur pour par avec au aux ce "
          "cette ces il elle on nous vous ils je j c se sa son ses plus à y",
    "es": "el la los las un una unos de del y o pero es son era no que en por para con al se su sus lo como más yo nos "
          "este esta esto le les a ya muy",
    "pt": "o os a as um uma de do da dos das e ou mas é são era não que em no na nos nas por para com ao se seu sua "
          "como mais eu nós este esta isso você",
    "it": "il lo la l i gli le un uno una di del della dei delle e o ma è sono era non che in nel nella per con al alla "
          "si suo sua come più io noi questo questa da ci",
    "ca": "el la els les un una de del dels i o però és són era no que en per amb al als es seu seva com més jo aquest "
          "aquesta això",
    "sv": "en ett och eller men är var inte också på av med till från för att som vi jag de det den han hon om så har "
          "i ut när",
    "da": "en et og eller men er var ikke også på af med til fra for at som vi jeg de det den han hun om så har i ud "
          "når hvad",
    "no": "en et og eller men er var ikke også på av med til fra for å som vi jeg de det den han hun om så har i ut "
          "når hva",
    "fi": "ja tai mutta on ovat oli ei myös että se ne hän me minä sinä kun niin kuin joka tämä ne olla sitten vain nyt",
    "pl": "i lub ale jest są był nie też na z do od dla że to w we po jak się my ja on ona ten ta czy co tak",
    "cs": "a nebo ale je jsou byl ne také na z do od pro že to v ve po jak se my já on ona ten ta když co tak si",
    "tr": "ve veya ama bir bu şu o ben biz da de mi için ile gibi çok daha ne var yok olarak sonra ki",
    "ro": "și sau dar este sunt era nu și pe din la cu de că în un o care se lui mai eu noi acest această ca pentru",
    "hu": "a az és vagy de van volt nem is egy hogy ez azt mi én ő ha meg csak már mint el ki",
    "et": "ja või aga on oli ei ka et see need ta me ma kui nii siis oma mis nagu",
    "id": "yang dan atau tetapi di ke dari ini itu dengan untuk pada adalah tidak saya kami kita dia akan ada bisa juga",
    "ru": "и в не на я что он с а как это по но они мы она так за вы же бы от у к из для о то был быть",  # noqa: RUF001
    "uk": "і в не на я що він з а як це по але вони ми вона так за ви ж би від у до із для про то був бути та",  # noqa: RUF001
    "vi": "và là của có không được trong cho với một những các này đó tôi chúng người khi cũng đã",
}  # fmt: skip
STOP_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}

# Words of English questions that are no subject, though they may tell passages apart: searched for, but not marked.
_QUESTION_WORDS = (
    "about am any been being can could did do does dont from get got had has have he her his how i its let me my our own "
    "she should so some than them us very we were what when where which who whom whose why would you your"
)
QUESTION_WORDS = frozenset(_QUESTION_WORDS.split())

# Scripts that few languages share, and the language where nothing more particular is found.
_SCRIPTS = (
    ("ja", "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"), ("ko", "\u1100-\u11ff\uac00-\ud7a3"),
    ("zh", "\u3400-\u9fff\uf900-\ufaff"), ("th", "\u0e01-\u0e4e"), ("lo", "\u0e81-\u0ecd"), ("my", "\u1000-\u1049"),
    ("km", "\u1780-\u17d3"), ("ru", "\u0400-\u052f"), ("el", "\u0370-\u03ff\u1f00-\u1fff"), ("he", "\u05d0-\u05ea"),
    ("ar", "\u0620-\u06d3"), ("hi", "\u0900-\u0963"), ("ta", "\u0b80-\u0bff"), ("hy", "\u0531-\u0587"),
    ("ka", "\u10a0-\u10ff"),
)  # fmt: skip
_SCRIPT = {language: re.compile(f"[{letters}]") for language, letters in _SCRIPTS}
_LETTERS_OF = {"uk": re.compile("[іїєґ]"), "fa": re.compile("[پچژگ]")}  # which their neighbours do not write
_NEIGHBOUR = {"ru": "uk", "ar": "fa"}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(transcript: Transcript) -> str:
    """The code of a transcript's language (`en`): as recorded with it, else as its text looks; empty where neither tells."""
    stated = primary_language(str(transcript.provenance.get("language") or ""))
    if stated:
        return stated
    words = (word for turn in transcript.turns for word in turn.text.split())
    return guess_language(" ".join(islice(words, SAMPLE_WORDS)))


def guess_language(text: str) -> str:
    """The code of the language that a text looks like; English for plain letters that look like none, else empty."""
    if found := script_language(text):
        return found
    words = Counter(_WORD.findall(text.casefold()))
    known = {
        language: sum(count for word, count in words.items() if word in stop) for language, stop in STOP_WORDS.items()
    }
    likely = max(known, key=lambda language: known[language])  # English first where several know as many
    if known[likely]:
        return likely
    return ENGLISH if text.isascii() and words else ""


def script_language(text: str) -> str:
    """The language of a text in a script that few languages share; empty for Latin letters, or none at all."""
    if text.isascii():
        return ""
    letters = sum(character.isalpha() for character in text)
    counts = {language: len(pattern.findall(text)) for language, pattern in _SCRIPT.items()}
    counts["zh"] += counts["ja"] if counts["zh"] > 20 * counts["ja"] else 0
    counts["ja"] += counts["zh"] if counts["ja"] else 0  # Chinese characters beside kana are Japanese
    likely = max(counts, key=lambda language: counts[language])
    if not letters or counts[likely] < 0.3 * letters:
        return ""
    other = _NEIGHBOUR.get(likely, "")
    return other if other and _LETTERS_OF[other].search(text) else likely


@lru_cache(1 << 8)
def stemmed_as(language: str) -> str:
    """The language itself if its words are stemmed or left out in a way of their own, else empty: they are taken as they are."""
    return language if language in STEMMERS or language in STOP_WORDS else ""
