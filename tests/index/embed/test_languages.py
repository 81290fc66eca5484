import pytest

from index.embed.languages import MULTILINGUAL, knows, unknown_languages


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("all-MiniLM-L6-v2@1a2b", {"en"}),
        ("sentence-transformers/all-mpnet-base-v2", {"en"}),
        ("BAAI/bge-small-en-v1.5", {"en"}),
        ("Snowflake/snowflake-arctic-embed-s", {"en"}),
        ("MongoDB/mdbr-leaf-ir", {"en"}),
        ("intfloat/e5-small-v2", {"en"}),
        (MULTILINGUAL, {"en", "de", "zh"}),
        ("BAAI/bge-m3", {"en", "de", "zh"}),
        ("a-model-of-ours", {"en", "de", "zh"}),
    ],
)
def test_a_model_knows_the_languages_that_its_name_tells(model, known):
    assert known == {language for language in ("en", "de", "zh") if knows(model, language)}
    assert knows(model, "")


def test_what_a_model_does_not_know_is_said_with_one_that_does():
    assert "" == unknown_languages("all-MiniLM-L6-v2", ["en", ""])
    told = unknown_languages("all-MiniLM-L6-v2@1a2b", {"zh", "de", "en"})
    assert "all-MiniLM-L6-v2 does not know de, zh," in told
    assert MULTILINGUAL in told
