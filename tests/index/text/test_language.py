import pytest

from index.text.language import guess_language, language_of, script_language, stemmed_as
from ingest.models import Episode, Transcript, Turn


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Raise your prices before the quarter ends."),
        ("en", "Parrots learn slowly"),
        ("de", "Letztes Frühjahr sind wir mit der Bäckerei an den Hafen gezogen."),
        ("fr", "Nous avons déplacé la boulangerie sur le port."),
        ("es", "El año pasado nos mudamos con la panadería al puerto."),
        ("pt", "No ano passado nós mudamos a padaria para o porto."),
        ("it", "L'anno scorso abbiamo spostato il forno al porto."),
        ("nl", "Vorig jaar zijn wij met de bakkerij naar de haven verhuisd."),
        ("sv", "Förra året flyttade vi bageriet till hamnen och det var inte lätt."),
        ("pl", "W zeszłym roku przenieśliśmy się do portu i to nie jest łatwe."),
        ("ja", "去年の春、私たちはパン屋を港に移しました。"),
        ("zh", "去年春天我们把面包房搬到了港口。"),
        ("ko", "항구의 빵집에 오신 것을 환영합니다."),
        ("th", "ยินดีต้อนรับสู่ร้านขนมปัง"),
        ("ru", "Прошлой весной мы переехали в порт."),
        ("uk", "Минулої весни ми переїхали в порт."),
        ("ar", "انتقلنا إلى الميناء في الربيع الماضي."),
        ("fa", "نانوایی به بندر کوچ کرد، چه گرم بود"),
        ("", "12, 13."),
    ],
)
def test_a_language_is_known_by_its_script_and_its_small_words(language, text):
    assert language == guess_language(text)


def test_what_is_recorded_with_a_transcript_counts_more_than_its_text():
    transcript = Transcript(Episode("p", "g", "t"), (Turn("Wir sind mit der Bäckerei an den Hafen gezogen."),))
    assert "de" == language_of(transcript)
    stated = Transcript(transcript.episode, transcript.turns, provenance={"language": "gsw-CH"})
    assert "gsw" == language_of(stated)
    assert "en" == language_of(Transcript(transcript.episode, (), provenance={"language": "English"}))


def test_a_few_foreign_letters_are_no_script():
    assert "" == script_language("We say naïve, and π is a number, as 東京 is a town.")
    assert "zh" == script_language("iPhone 量子计算机")


def test_languages_without_a_stemmer_of_their_own_share_one():
    assert ["de", "", ""] == [stemmed_as(language) for language in ("de", "zh", "xx")]
