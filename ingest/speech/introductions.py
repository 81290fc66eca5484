"""Reads who a sentence says is speaking, or whom it introduces or addresses; pure. English, and `my name is` in others.

Only forms in which a speaker means themself or the person in the room are read; in doubt nobody is named.
"""

import re

_PARTICLES_WORDS = "van von de der den del della di da dos du la le al bin ibn y e"
PARTICLES = frozenset(_PARTICLES_WORDS.split())
_TITLES_WORDS = "dr doctor professor prof mr mrs ms sir dame coach"
TITLES = frozenset(_TITLES_WORDS.split())
# Capitalised words that begin no name: what a recogniser writes with a capital after "I'm", and what titles are full of
_NO_NAMES = """
a an the and but so not no yes here back your his her their my our just very really still also now then what why how who
i i'm i've i'd i'll you we they he she it this that these those there today tomorrow welcome thanks thank hello hi hey okay ok
sorry happy glad sure afraid excited pleased honored honoured delighted grateful curious proud ready done good great fine
from in on at with to for of by about into like as if or going trying looking thinking talking calling speaking
american african asian european english british irish scottish welsh french german italian spanish portuguese dutch polish
russian ukrainian chinese japanese korean indian canadian australian mexican brazilian jewish muslim catholic
buddhist hindu texan californian new north south east west san los team type gen generation god monday tuesday wednesday
thursday friday saturday sunday difficult people everyone everybody folks friends data sales marketing business
"""
NO_NAMES = frozenset(_NO_NAMES.split())
MAX_WORDS = 4  # of a name
_OWN = frozenset({"i", "i'm", "i've", "i'll", "i'd"})

_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
_SELF = re.compile(
    r"(?P<named>\b(?:my name is|my name's|mein name ist|je m'appelle|me llamo|mi nombre es|mi chiamo|meu nome é|mijn naam is) )"
    r"|(?P<host>\b(?:I'm|I am) (?:your|the) host,? )|(?P<am>\b(?:I'm|I am) )|(?P<this>\bthis is )",
    re.IGNORECASE,
)
_LISTENING = re.compile(
    r"^[\s,.]*(?:and )?(?:you're|you are|you've been|you have been|you were) listening", re.IGNORECASE
)
_GREETS = re.compile(
    r"\b(?:welcome|hello|hi|hey|good (?:morning|afternoon|evening)|listening to|this is the|thanks for (?:having|listening)"
    r"|thank you for (?:having|listening)|hallo|bonjour|hola|ciao|willkommen|bienvenue|bienvenid\w+)\b",
    re.IGNORECASE,
)
_SAYING = (
    r"(?:said|says|saying|say|tells?|telling|told|goes|going|went|like|call(?:s|ed)?|asks?|asked|answer(?:s|ed)?|repl(?:y|ies|ied)"
    r"|writes?|wrote|reads?|shout(?:s|ed)?|thinks?|thought|if|unless|imagin\w*|pretend\w*|quotes?|hears?|heard|sings?|sang|song|film"
    r"|movie|book|character|line|whose|that|believes?|claims?|claimed|introduc\w+|not|never)"
)
_REPORTED = re.compile(rf"\b{_SAYING}\b|[\"“”«]", re.IGNORECASE)
_TAG = re.compile(
    r"^[\s,.!?'\"”]*(?:\w+ ){0,2}(?:said|says|goes|shouts?|thought|asked|replied|tells?|told)\b", re.IGNORECASE
)
_AFTER = re.compile(
    r"^(?:$|[,.!;:\u2013\u2014-]|\s(?:and|from|with|at|the|your|a|an|here|host|co-host|founder|head|vice|chief|I|in|of|or)\b)"
)  # what may follow a name that a person gives as theirs
_SPONSOR = re.compile(
    r"\b(?:sponsor\w*|brought to you|promo|code|percent off|dot com|\w+\.(?:com|io|co|org|net))\b", re.IGNORECASE
)
_INTRODUCES = re.compile(
    r"\b(?:(?:my|our)(?: very)?(?: special)? guest(?: today| this week| for today)?,? is|(?:today|this week),? (?:my|our) guest is"
    r"|(?:I'm|I am|we're|we are)(?: (?:here|now|today|also|being|very|happy|pleased|to|be)){0,4} joined(?: today| now| here)?"
    r"(?: in the studio)? by|joining (?:me|us)(?: today| now| here)?(?: in the studio)? is"
    r"|(?:with me|with us)(?: today| here| now| in the studio){0,2} is|please welcome"
    r"|welcome(?: back)? to (?:the|our) (?:show|podcast|program|programme),|(?:I'm|I am) here(?: today)? with"
    r"|(?:I'm|I am|we're|we are) (?:talking|speaking)(?: today)? (?:to|with)) ",
    re.IGNORECASE,
)
_OTHER_TIME = re.compile(
    r"\b(?:(?:last|next) (?:week|time|month|year|episode|show)|previous|earlier|yesterday|tomorrow|upcoming|soon|was|were|wish)\b",
    re.IGNORECASE,
)
_GUEST = re.compile(r"(?<!\w)(?:with|w/|feat\.?|ft\.?|featuring|guest:?) (?=[^\W\d_])", re.IGNORECASE)
_GOVERNS = re.compile(  # verbs and nouns whose `with` brings no guest
    r"\b(?:deal\w*|liv\w+|work\w*|cop\w+|struggl\w+|fight\w*|break\w*|war|trouble|problems?|wrong|meeting|met|start\w*|win\w*|sell\w*"
    r"|away|along|obsess\w*|up|issues?|dinner|lunch|breakfast|date|interviews?) $",
    re.IGNORECASE,
)
_GUEST_ENDS = re.compile(r"^\s*(?:$|[|:()\[\]\u2013\u2014-]|,|\b(?:of|from|on|about|at)\b)")


def plain(text: str) -> str:
    """The text with straight apostrophes and single spaces."""
    return " ".join(text.replace("’", "'").split())  # noqa: RUF001 - the typographic one is meant


def own_name(sentence: str, before: str) -> tuple[str, bool] | None:
    """The name that a speaker gives as theirs, and whether the words leave no doubt that it is one.

    They do in a greeting, at a show's opening or close, and after `my name is`; `I'm Big Bird` alone may be a joke. `before` is the text before the sentence. None where there is none, or where somebody else's words may be told.
    """
    text, before = plain(sentence), plain(before)
    if text.endswith("?") or _SPONSOR.search(f"{before} {text}"):
        return None
    for found in _SELF.finditer(text):
        lead, (name, after) = text[: found.start()], leading_name(text[found.end() :])
        listening = bool(_LISTENING.match(after))
        told = _REPORTED.search(lead) or _REPORTED.search(" ".join(before.split()[-5:])) or _TAG.match(after)
        if name and _AFTER.match(after) and not told and (listening or not found["this"]):
            return name, listening or bool(found["named"] or found["host"] or _GREETS.search(f"{before} {text}"))
    return None


def introduced(sentence: str) -> str:
    """Whom a sentence brings in as being there today; empty where nobody, or more than one."""
    text = plain(sentence)
    if text.endswith("?") or _OTHER_TIME.search(text) or _SPONSOR.search(text):
        return ""
    for found in _INTRODUCES.finditer(text):
        name, rest = leading_name(text[found.end() :])
        one = not re.match(r"\s*(?:,|and|&)\s*(?:and )?[^\W\d_a-z]", rest) or re.match(
            r",?(?: and)? (?:I|I'm|I've)\b", rest
        )
        if name and one and not _REPORTED.search(text[: found.start()]):
            return name
    return ""


def addresses(sentence: str, name: str) -> bool:
    """Whether a sentence speaks to somebody by this name or its first word, as in `Ann, what is it?`, `Thank you, Ann.`."""
    first = name.partition(" ")[0]
    either = f"(?:{re.escape(name)}|{re.escape(first)})"
    text = plain(sentence)
    opens = re.match(
        rf"(?:(?:so|and|well|okay|now|hi|hello|welcome|thanks|thank you),? )*{either},", text, re.IGNORECASE
    )
    closes = re.search(rf"(?:,|\bwelcome|\bthanks|\bthank you|\bhi|\bhello) {either}[.!?]*$", text, re.IGNORECASE)
    listed = re.match(rf"{either},? (?:and|or|[^\W\d_a-z]\w+ and)\b", text)
    return bool((opens and not listed) or closes) and not _REPORTED.search(text.partition(first)[0])


def title_guest(title: str) -> str:
    """The one guest that a title names after `with`, `feat.` or the like: two words at least; empty where it is unsure."""
    text = plain(title)
    names = []
    for found in _GUEST.finditer(text):
        name, rest = leading_name(text[found.end() :])
        if len(name.split()) > 1 and _GUEST_ENDS.match(rest) and not _GOVERNS.search(text[: found.start()]):
            names.append(name)
    several = re.search(r"\w(?:, | and | & )[^\W\d_a-z]\w+ [^\W\d_a-z]", text.partition(names[0])[2]) if names else None
    return names[0] if len(names) == 1 and not several else ""


def leading_name(text: str) -> tuple[str, str]:
    """The name that a text begins with, without a title before it, and what follows; an empty one if there is none.

    A name is one to four capitalised words, particles and initials among them; one in the genitive is none.
    """
    words: list[str] = []
    place = len(text) - len(text.lstrip(" ,"))
    end = place
    while found := _WORD.match(text, place):
        word, place = found[0], found.end()
        initial = re.match(r"\. (?=[^\W\d_a-z])", text[place:]) if len(word) == 1 or word.lower() in TITLES else None
        place += initial.end() if initial else text[place : place + 1] == " "
        follows = _WORD.match(text, place)
        particle = bool(words) and word in PARTICLES and follows is not None and follows[0][0].isupper()
        if not (particle or word[0].isupper() or word.lower() in TITLES) or (words and word.lower() in _OWN):
            break
        if word.endswith("'s") or word.lower() in NO_NAMES:
            return "", text
        words += [] if word.lower() in TITLES and not words else [word]
        end = found.end()
        if place == found.end():
            break
    return (" ".join(words), text[end:]) if 0 < len(words) <= MAX_WORDS else ("", text)
