import pytest

from index.store.generations import run
from index.store.term_counts import recount
from index.text import vocabulary
from tests.index.store.test_lance import put, store  # noqa: F401 - a fixture


def forms(store, text):  # noqa: F811
    return [set(term.forms) for term in store.ask(text).question.terms]


def test_a_question_is_put_in_the_languages_of_the_index(store):  # noqa: F811
    put(store, "a", ("", "Prices rise in the spring."))
    assert ([{"price"}], {"en"}) == (forms(store, "prices"), store.ask("prices").languages)
    put(store, "b", ("", "Die Preise steigen."), language="de")
    put(store, "c", ("", "量子计算机"), language="zh")
    assert {"en", "de", "zh"} == store.ask("prices").languages
    assert [{"price", "pric", "prices"}] == forms(store, "prices")
    assert [{"preis", "preise"}] == [term - {"prei"} for term in forms(store, "die Preise")]
    store.remove(store.episodes()[-1].key)
    assert 2 == len(store.ask("prices").languages)


def test_a_word_that_the_index_lacks_is_corrected_and_searched_for(store):  # noqa: F811
    put(store, "a", ("", "Forecasts of a quota. Rachitsky said so."))
    asked = store.ask('the "forcasts" of Rachitzky')
    assert 'the "forecasts" of Rachitsky' == asked.question.suggestion
    assert "the forecasts of Rachitsky" == asked.question.text
    assert {"forecast", "rachitski"} <= {term.term for term in asked.question.terms}
    assert "" == store.ask("forecast of quotas, zebras").question.suggestion


def test_words_come_with_an_episode_and_stay_when_terms_are_counted_anew(store):  # noqa: F811
    put(store, "a", ("", "Forecasts of a quota."))
    put(store, "b", ("", "A commission."))
    tables = store._tables()
    run(store.storage, recount(tables.terms, tables.episodes))
    assert "forecasts" == store.ask("forcasts").question.suggestion
    key = put(store, "b", ("", "A territory."))
    assert "territory" == store.ask("teritory").question.suggestion
    store.remove(key)
    assert "" == store.ask("teritory").question.suggestion


def test_the_words_are_read_once_until_they_change(store, monkeypatch):  # noqa: F811
    put(store, "a", ("", "Forecasts of a quota."))
    made = []
    plain = vocabulary.Vocabulary.__init__
    monkeypatch.setattr(vocabulary.Vocabulary, "__init__", lambda *a, **k: made.append(1) or plain(*a, **k))
    for _ in range(3):
        store.ask("forcasts")
    assert [1] == made
    put(store, "b", ("", "A territory."))
    assert "territory" == store.ask("teritory").question.suggestion
    assert [1, 1] == made


@pytest.mark.parametrize(
    ("part", "found"), [("Ofen", True), ("Öfen", True), ("Akquise", True), ("Rat", False), ("Back", True)]
)
def test_the_parts_of_german_compounds_find_them(store, part, found):  # noqa: F811
    put(store, "a", ("", "Der Backofen steht. Die Kaltakquise läuft. Ein Ratgeber."), language="de")
    known = {"backof", "kaltakquis", "ratgeb"}
    assert found == any(not known.isdisjoint(term) for term in forms(store, part))
