import pytest

from ingest.links import is_video, moment, playing, web_address

VIDEO = "https://www.youtube.com/watch?v=abc"


@pytest.mark.parametrize(
    "hostile",
    ["javascript:alert(1)", "java\nscript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "//a.example/x", "/x", "",
     "http://[", "https:", "ftp://a.example/1.mp3", "file:///etc/passwd", "https:///x", "https://a b.example/x", "https://:80/"],
)  # fmt: skip
def test_only_web_addresses_can_be_followed(hostile):
    assert ("", "", "") == (web_address(hostile), playing(hostile, 3.0, 5.0), moment(hostile, 3.0))


@pytest.mark.parametrize(
    ("address", "followed"),
    [(" https://a.example/x.mp3?y=1#t=1,2 ", "https://a.example/x.mp3?y=1#t=1,2"),
     ("https://a.example/my show/1.mp3?a=b c", "https://a.example/my%20show/1.mp3?a=b%20c"),
     ("https://a.example/50%25 off/1%20.mp3", "https://a.example/50%25%20off/1%20.mp3"),
     ('https://a.example/"><b>.mp3', "https://a.example/%22%3E%3Cb%3E.mp3"),
     ("https://bücher.example/ä.mp3", "https://bücher.example/%C3%A4.mp3"),
     ("HTTP://[::1]:80/x", "http://[::1]:80/x")],
)  # fmt: skip
def test_what_may_not_stand_in_an_address_is_encoded_once(address, followed):
    assert followed == web_address(address) == web_address(followed)


@pytest.mark.parametrize(
    ("link", "start", "timed"),
    [(VIDEO, 75.9, f"{VIDEO}&t=75"), (f"{VIDEO}&t=3s&list=x#t=9", 75.0, f"{VIDEO}&list=x&t=75"),
     ("https://m.youtube.com/watch?v=abc", 0.0, "https://m.youtube.com/watch?v=abc&t=0"),
     ("https://youtu.be/abc?si=q", 12.5, "https://youtu.be/abc?si=q&t=12"),
     ("https://youtube.com/live/abc", 5.0, "https://youtube.com/live/abc?t=5"),
     ("https://www.youtube-nocookie.com/embed/abc", 5.0, "https://www.youtube-nocookie.com/embed/abc?start=5"),
     ("https://www.youtube.com/@somebody", 5.0, "https://www.youtube.com/@somebody"),
     ("https://youtube.com.evil.example/watch?v=abc", 5.0, "https://youtube.com.evil.example/watch?v=abc"),
     (VIDEO, None, VIDEO),
     ("https://a.example/talk.MP4?x=1", 75.4, "https://a.example/talk.MP4?x=1#t=75.4"),
     ("https://a.example/notes.html", 75.4, "https://a.example/notes.html"), ("https://a.example/1", 5.0, "https://a.example/1")],
)  # fmt: skip
def test_a_page_is_linked_at_the_moment_where_it_takes_one(link, start, timed):
    assert timed == moment(link, start)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("https://a.example/play?id=3", "https://a.example/play?id=3#t=1.5,4"), ("https://a.example/a b.mp3", "https://a.example/a%20b.mp3#t=1.5,4"),
     (VIDEO, f"{VIDEO}&t=1")],
)  # fmt: skip
def test_a_recording_plays_from_the_moment_whatever_its_address(address, expected):
    assert expected == playing(address, 1.5, 4.0)


def test_a_video_has_a_page_and_a_file_has_none():
    assert [True, True, False, False] == [
        is_video(one) for one in (VIDEO, "https://youtu.be/abc", "https://a.example/1.mp4", "https://youtu.be/")
    ]
