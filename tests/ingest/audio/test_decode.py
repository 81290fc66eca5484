"""Any audio file becomes 16 kHz mono in blocks, or one clear error."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from ingest.audio.decode import RATE, Recording, quietest, skipped
from ingest.errors import AudioError

HEARD = 0.15  # seconds by which codecs with their padding may differ
FORMS = [  # extension, codec, rate, layout, sample format
    ("wav", "pcm_s16le", 44_100, "stereo", "s16"),
    ("wav", "pcm_f32le", 8_000, "mono", "flt"),
    ("mp3", "libmp3lame", 44_100, "stereo", "s16p"),
    ("m4a", "aac", 48_000, "stereo", "fltp"),
    ("oga", "flac", 44_100, "stereo", "s16"),
    ("opus", "libopus", 48_000, "mono", "s16"),
    ("flac", "flac", 16_000, "mono", "s16"),
    ("webm", "libopus", 48_000, "stereo", "s16"),
]


def tone(seconds, rate, hertz=440.0):
    return 0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write(path, seconds=3.0, form=FORMS[0], *, picture=False, options=None):
    """Encode a tone, with moving pictures beside it where asked."""
    _, codec, rate, layout, samples = form
    channels = 2 if layout == "stereo" else 1
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, format=samples)
        video = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p") if picture else None
        sound = np.repeat(tone(seconds, rate)[None], channels, axis=0)
        if not samples.startswith("flt"):
            sound = sound * 32_767
        sound = sound.astype("float32" if samples.startswith("flt") else "int16")
        size = stream.codec_context.frame_size or 1024
        for start in range(0, sound.shape[1], size):
            piece = np.ascontiguousarray(sound[:, start : start + size])
            if not samples.endswith("p"):
                piece = piece.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format=samples, layout=layout)
            frame.sample_rate = rate
            frame.pts = start
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if video:
            for number in range(round(seconds * 10)):
                image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
                container.mux(video.encode(image))
            container.mux(video.encode(None))
    return path


def heard(path):
    with Recording(path) as recording:
        samples = np.concatenate(list(recording.blocks()))
    return samples, recording


def pitch(samples):
    """The loudest frequency, in hertz."""
    return np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form[1]}-{form[0]}")
def test_every_common_form_gives_the_same_sound(tmp_path, form):
    samples, recording = heard(write(tmp_path / f"a.{form[0]}", 3.0, form))
    assert samples.dtype == np.float32
    assert recording.decoded == pytest.approx(3.0, abs=HEARD)
    assert len(samples) == round(recording.decoded * RATE)
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert 0.2 < np.sqrt(np.mean(samples**2)) < 0.35
    assert not recording.truncated


def test_the_sound_of_a_video_is_heard(tmp_path):
    samples, recording = heard(write(tmp_path / "a.mp4", 3.0, FORMS[3], picture=True))
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert not recording.truncated


def test_a_wrong_extension_does_not_matter(tmp_path):
    write(tmp_path / "a.flac", 3.0, FORMS[6]).rename(tmp_path / "a.mp3")
    assert heard(tmp_path / "a.mp3")[1].decoded == pytest.approx(3.0, abs=HEARD)


def test_a_huge_cover_is_no_obstacle(tmp_path):
    plain = write(tmp_path / "a.mp3", 3.0, FORMS[2]).read_bytes()
    picture = b"\0image/jpeg\0\3\0" + b"\xff\xd8" + b"\x55" * 12_000_000
    frame = b"APIC" + len(picture).to_bytes(4) + b"\0\0" + picture
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    (tmp_path / "cover.mp3").write_bytes(b"ID3\3\0\0" + size + frame + plain[plain.index(b"\xff\xfb") :])
    samples, recording = heard(tmp_path / "cover.mp3")
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert not recording.truncated


def test_streams_chained_with_another_rate_are_both_heard(tmp_path):
    first = write(tmp_path / "1.oga", 3.0, FORMS[4]).read_bytes()
    second = write(tmp_path / "2.oga", 2.0, ("oga", "flac", 22_050, "mono", "s16")).read_bytes()
    (tmp_path / "both.oga").write_bytes(first + second)
    samples, _ = heard(tmp_path / "both.oga")
    assert len(samples) / RATE == pytest.approx(5.0, abs=2 * HEARD)
    assert pitch(samples[-RATE:]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("form", [FORMS[0], FORMS[2], FORMS[3], FORMS[5], FORMS[6]], ids=lambda form: form[1])
def test_a_file_that_was_cut_off_is_heard_up_to_the_cut_and_marked(tmp_path, form):
    whole = write(
        tmp_path / f"a.{form[0]}", 10.0, form, options={"movflags": "faststart"} if form[0] == "m4a" else None
    )
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    samples, recording = heard(whole)
    assert recording.truncated
    assert recording.decoded == pytest.approx(6.0, abs=1.0)
    assert pitch(samples) == pytest.approx(440, abs=2)


def test_an_mp3_without_a_header_is_not_called_cut_off_for_its_estimated_duration(tmp_path):
    quiet = write(tmp_path / "a.mp3", 8.0, FORMS[2], options={"write_xing": "0"})
    assert not any(mark in quiet.read_bytes() for mark in (b"Xing", b"Info"))
    assert not heard(quiet)[1].truncated


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path):
    path = write(tmp_path / "a.flac", 20.0, FORMS[6])
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 3000] = np.random.default_rng(5).bytes(3000)
    path.write_bytes(raw)
    samples, recording = heard(path)
    assert 15 < recording.decoded <= 20.5
    assert pitch(samples) == pytest.approx(440, abs=2)


def test_numbers_that_are_none_do_not_spread(tmp_path):
    path = write(tmp_path / "a.wav", 1.0, FORMS[1])
    raw = path.read_bytes()
    nan, inf = np.float32("nan").tobytes(), np.float32("inf").tobytes()
    path.write_bytes(raw[:1000] + nan + inf + raw[1008:])
    samples, _ = heard(path)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.mp3", b"<!doctype html><p>Not found"),
        ("empty.mp3", b""),
        ("noise.m4a", bytes(range(256)) * 99),
        ("tag.mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(range(256)) * 9),
        ("head.wav", b"RIFF\0\0\0\0WAVEfmt "),
        ("a.ogg", b"OggS" + bytes(99)),
    ],
)
def test_what_is_no_audio_is_one_clear_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError) as error:
        heard(tmp_path / name)
    assert str(tmp_path / name) == error.value.subject
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_an_audio_error(tmp_path):
    with pytest.raises(AudioError, match="No such file"):
        Recording(tmp_path / "none.mp3")


def test_pictures_without_sound_are_an_audio_error(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        video = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(video.encode(None))
    with pytest.raises(AudioError, match="holds no sound"):
        Recording(tmp_path / "a.mp4")


def test_long_sound_comes_in_blocks(tmp_path):
    with Recording(write(tmp_path / "a.flac", 120.0, FORMS[6])) as recording:
        sizes = [len(block) for block in recording.blocks()]
    assert max(sizes) < 40 * RATE
    assert sum(sizes) == round(recording.decoded * RATE)


def test_skipping_leaves_out_exactly_so_many_samples():
    sound = np.arange(100, dtype=np.float32)
    blocks = [sound[start:end] for start, end in pairwise((0, 30, 60, 100))]
    for count in (0, 1, 30, 59, 99, 100, 200):
        left = list(skipped(iter(blocks), count))
        assert np.array_equal(sound[count:], np.concatenate([*left, sound[:0]]))


def test_the_quietest_moment_is_found():
    samples = np.ones(5 * RATE, np.float32)
    samples[3 * RATE : 3 * RATE + RATE // 5] = 0.1
    assert quietest(samples, 1.0, 4.5) == pytest.approx(3.1, abs=0.11)
    assert quietest(samples, 4.99, 5.0) == 5.0


def test_a_tag_between_stitched_files_does_not_end_the_sound(tmp_path):
    part = write(tmp_path / "part.mp3", 3.0, FORMS[2]).read_bytes()
    (tmp_path / "both.mp3").write_bytes(part + b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + part)
    assert heard(tmp_path / "both.mp3")[1].decoded == pytest.approx(6.0, abs=3 * HEARD)


APE = b"APETAGEX\xd0\x07\0\0" + (90_000).to_bytes(4, "little") + b"\1\0\0\0" + bytes(16) + b"\xff\xd8\xff\xe0" * 22_500


@pytest.mark.parametrize(
    "before", [b"\r\n", bytes(8), bytes(2000), b"TAG" + b" " * 125, APE, b"<b>Warning</b>: x.php\n"]
)
@pytest.mark.parametrize("form", [FORMS[0], FORMS[2], FORMS[6]])
def test_what_stands_before_the_sound_is_passed_over(tmp_path, before, form):
    path = write(tmp_path / f"a.{form[0]}", form=form)
    if form[0] != "mp3" and not before.isspace():
        before = b"\n"
    path.write_bytes(before + path.read_bytes())

    assert heard(path)[1].decoded == pytest.approx(3.0, abs=HEARD)


# Two channels


def stereo(path, left, right, form=FORMS[0]):
    """Encode two channels, each from -1 to 1."""
    _, codec, rate, layout, samples = form
    scale = {"u8": 127, "s16": 32_767, "s16p": 32_767}.get(samples, 1)
    kind = {"u8": np.uint8, "s16": np.int16, "s16p": np.int16}.get(samples, np.float32)
    sound = (np.stack([left, right]) * scale + 128 * (samples == "u8")).astype(kind)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, format=samples)
        size = stream.codec_context.frame_size or 1024
        for start in range(0, sound.shape[1], size):
            piece = np.ascontiguousarray(sound[:, start : start + size])
            piece = piece if samples.endswith("p") else piece.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format=samples, layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def mixed(path):
    """A file as libav alone makes mono of it."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frames = [done for frame in [*container.decode(audio=0), None] for done in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32) / 32_768


def noise(seconds, rate, seed=1):
    return 0.2 * np.random.default_rng(seed).standard_normal(round(seconds * rate)).clip(-3, 3)


@pytest.mark.parametrize("gain", [-1.0, -0.9, -1.08])
@pytest.mark.parametrize("form", [*FORMS[:1], *FORMS[2:5], ("wav", "pcm_u8", 22_050, "stereo", "u8")], ids=str)
def test_channels_that_cancel_each_other_are_heard(tmp_path, form, gain):
    sound = tone(3.4, form[2])
    samples, _ = heard(stereo(tmp_path / f"a.{form[0]}", sound, gain * sound, form))
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.283 * max(1, -gain), rel=0.1)


def test_only_the_seconds_that_cancel_are_heard_from_one_channel(tmp_path):
    rate, sound = RATE, tone(24, RATE)
    sign = np.where((np.arange(24 * rate) // rate) % 12 > 8, -1, 1)  # over the border of what is decoded at once
    samples, _ = heard(stereo(tmp_path / "a.flac", sound, sign * sound, ("flac", "flac", rate, "stereo", "s16")))
    one, _ = heard(stereo(tmp_path / "b.flac", sound, sound, ("flac", "flac", rate, "stereo", "s16")))
    assert np.array_equal(samples, one)


def test_sound_from_one_channel_does_not_depend_on_how_it_is_framed(tmp_path):
    sound = noise(23.3, 44_100)
    wav, _ = heard(stereo(tmp_path / "a.wav", sound, -sound))  # whose frames are of 1,024 samples, then of 4,608
    flac, _ = heard(stereo(tmp_path / "a.flac", sound, -sound, FORMS[4]))
    assert np.array_equal(wav, flac)
    with Recording(tmp_path / "a.wav") as recording:
        rest = np.concatenate(list(skipped(recording.blocks(), 170_001)))
    assert np.array_equal(wav[170_001:], rest)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, 1), (1, 0), (0, 1), (1, 0.2), (1, -0.5), (-0.7, 1), (0, 0)],
    ids=["the same", "left", "right", "quieter", "turned and half", "louder", "silence"],
)
def test_ordinary_stereo_stays_as_it_is_to_the_bit(tmp_path, left, right):
    sound, other = noise(12.5, 44_100), noise(12.5, 44_100, seed=2)
    for number, second in enumerate((right * sound, right * sound + 0.3 * other, right * other)):
        path = stereo(tmp_path / f"{number}.wav", left * sound, second)
        assert np.array_equal(heard(path)[0], mixed(path))


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)", "3.0", "quad"])
def test_more_channels_stay_as_they_are_to_the_bit(tmp_path, layout):
    sound = (noise(11, 48_000) * 32_767).astype(np.int16)
    channels = av.AudioLayout(layout).nb_channels
    piece = np.stack([sound * (-1) ** number for number in range(channels)]).T.reshape(1, -1)
    with av.open(str(tmp_path / "a.flac"), "w") as container:
        stream = container.add_stream("flac", rate=48_000, layout=layout, format="s16")
        size = 4_608 * channels
        for start in range(0, piece.shape[1], size):
            frame = av.AudioFrame.from_ndarray(piece[:, start : start + size].copy(), format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start // channels, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert np.array_equal(heard(tmp_path / "a.flac")[0], mixed(tmp_path / "a.flac"))


def test_numbers_that_are_none_in_two_channels_do_not_spread(tmp_path):
    sound = tone(3, 44_100)
    left, right = sound.copy(), -sound
    left[50_000], right[100_000] = np.nan, np.inf
    path = stereo(tmp_path / "a.wav", left, right, ("wav", "pcm_f32le", 44_100, "stereo", "flt"))
    samples, _ = heard(path)
    assert np.isfinite(samples).all()
    assert np.sqrt(np.mean(samples[: RATE - 99] ** 2)) == pytest.approx(0.283, rel=0.05)
