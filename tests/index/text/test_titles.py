import pytest

from index.text.titles import without_number


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("90. Why your sales org fails", "Why your sales org fails"),
        ("#204: Hiring", ": Hiring"),
        ("Ep. 12 - Pricing", "- Pricing"),
        ("12 - Angry buyers", "Angry buyers"),
        ("Selling well (Episode 33)", "Selling well ( )"),
        ("S2E5 | Quotas", "| Quotas"),
        ("S2 E5: Quotas", ": Quotas"),
        ("Folge 7: Preise", ": Preise"),
        ("Episode 12", "Episode 12"),
        ("2024: the year ahead", "2024: the year ahead"),
        ("5 ways to sell", "5 ways to sell"),
        ("30-60-90 day plan", "30-60-90 day plan"),
        ("The first 90 days", "The first 90 days"),
        ("Sales 101", "Sales 101"),
    ],
)
def test_the_number_of_an_episode_is_no_subject(title, expected):
    assert expected.split() == without_number(title).split()
