from dataclasses import replace

from index.sentence_span import SentenceSpan, SentenceTable, pack

FIRST = SentenceSpan(
    0, 24, 1.25, 3.999, 0.0, 0, 5, 7, 0.25, advert=False, opens=True, asks=False, terms=3, signature=-(1 << 31)
)
SECOND = replace(FIRST, begin=25, start=None, stop=None, speaker=-1, advert=True, prominence=1.0)


def test_a_packed_sentence_is_read_as_it_was():
    table = SentenceTable(pack([FIRST, SECOND]))
    assert ([FIRST, SECOND], [SECOND], []) == (table.spans(), table.spans(1, 2), table.spans(2))


def test_a_column_is_one_field_of_all_sentences():
    table = SentenceTable(pack([FIRST, SECOND]))
    assert ([0, 25], [1250, -1]) == (table.column("begin").tolist(), table.column("start").tolist())


def test_no_sentences_are_no_rows():
    assert 0 == len(SentenceTable(pack([])))
