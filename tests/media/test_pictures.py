"""A picture is read whole and right, or refused with a reason; copies are known for what they show."""

import contextlib
import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from sibu.core.errors import DataError
from sibu.media.pictures import near_hashes, perceptual_hash, read_picture, resized


def drawn(height=24, width=36, seed=0):
    """A smooth picture with something in it."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def written(image, form, **options):
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("form", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("TIFF", {}), ("PPM", {}),
     ("TIFF", {"compression": "jpeg"}), ("JPEG", {"quality": 95}), ("GIF", {}), ("AVIF", {"quality": 95})],
)  # fmt: skip
def test_formats_are_read_from_files_and_bytes_alike(tmp_path, form, options):
    pixels = drawn()
    data = written(pixels, form, **options)
    (tmp_path / "图 片").write_bytes(data)  # the name says nothing of the format
    found = read_picture(data)
    assert found.dtype == np.uint8
    assert found.flags.writeable
    exact = form in {"PNG", "WEBP", "BMP", "PPM"} or (form, options) == ("TIFF", {})
    assert np.abs(found.astype(int) - pixels).mean() <= (0 if exact else 12)
    for source in (tmp_path / "图 片", str(tmp_path / "图 片")):
        np.testing.assert_array_equal(read_picture(source), found)


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation_is_applied(turn):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = turn
    data = written(drawn(), "PNG", exif=exif.tobytes())
    np.testing.assert_array_equal(read_picture(data), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))
    assert read_picture(data).shape == ((36, 24, 3) if turn >= 5 else (24, 36, 3))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's own
def test_damaged_exif_turns_nothing():
    data = written(drawn(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert read_picture(data).shape == (24, 36, 3)


def test_grey_and_palette_and_bits():
    grey = drawn()[..., 0]
    three = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_picture(written(grey, "PNG")), three)
    deep = grey.astype(np.uint16) * 257
    np.testing.assert_array_equal(read_picture(written(deep, "PNG")), three)
    np.testing.assert_array_equal(read_picture(written(deep, "TIFF")), three)
    np.testing.assert_array_equal(read_picture(written(deep.astype(np.int32), "TIFF")), three)
    np.testing.assert_array_equal(read_picture(written(grey.astype(np.float32) / 255, "TIFF")), three)
    np.testing.assert_array_equal(read_picture(written(grey > 99, "PNG")), np.where(three > 99, 255, 0))
    palette = Image.fromarray(drawn()).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(read_picture(written(palette, "PNG")), np.asarray(palette.convert("RGB")))


def test_cmyk():
    found = read_picture(written(Image.fromarray(drawn()).convert("CMYK"), "JPEG", quality=100, subsampling=0))
    assert np.abs(found.astype(int) - drawn()).mean() < 3


@pytest.mark.parametrize("values", [np.float32([[0.5, 2.0]]), np.float32([[np.nan, 0.5]]), np.int32([[0, 70000]])])
def test_values_of_no_known_range_are_refused(values):
    with pytest.raises(DataError, match=r"holds grey values from .* allowed are 8 bits, 16 bits, and fractions"):
        read_picture(written(values, "TIFF"))


def test_what_is_transparent_shows_white():
    pixels = np.dstack([drawn(), np.full((24, 36), 255, np.uint8)])
    np.testing.assert_array_equal(read_picture(written(pixels, "PNG")), drawn())
    pixels[:5, :, 3] = 0
    pixels[5:9, :, 3] = 128
    found = read_picture(written(pixels, "PNG"))
    assert (found[:5] == 255).all()
    half = drawn()[5:9] * (128 / 255) + 255 * (127 / 255)
    assert np.abs(found[5:9] - half).max() <= 1
    np.testing.assert_array_equal(found[9:], drawn()[9:])
    grey = Image.fromarray(np.uint8([[0, 100], [200, 50]]))
    assert read_picture(written(grey, "PNG", transparency=100))[0, 1].tolist() == [255, 255, 255]
    deep = Image.fromarray(np.uint16([[0, 25700], [51400, 0]]))
    found = read_picture(written(deep, "PNG"))
    assert found[..., 0].tolist() == [[0, 100], [200, 0]]
    palette = Image.fromarray(np.uint8([[0, 1], [1, 0]])).convert("P")
    palette.putpalette([255, 0, 0, 0, 255, 0])
    found = read_picture(written(palette, "PNG", transparency=b"\x00\xff"))
    assert found.tolist() == [[[255, 255, 255], [0, 255, 0]], [[0, 255, 0], [255, 255, 255]]]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_off_file_is_refused_or_is_all_there(form, share):
    whole = written(drawn(), form)
    try:
        found = read_picture(whole[: max(1, int(share * len(whole)))])
    except DataError as fault:
        assert "the bytes given" in str(fault)
    else:  # only what stands behind the last pixel is missing
        np.testing.assert_array_equal(found, read_picture(whole))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_half_a_file_is_refused(tmp_path, form):
    whole = written(drawn(200, 300), form)
    path = tmp_path / "half.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"half\.jpg .*cut off or damaged.* Copy or download it again\."):
        read_picture(path)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=200),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"P5 ", b"BM"]),
)
def test_any_bytes_are_read_or_refused(tail, head):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow says of odd metadata
        with contextlib.suppress(DataError):
            assert read_picture(head + tail).shape[2] == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"The patient has a fever.", r'looks like text \("The patient has a fever\."\)\. Read are PNG, JPEG'),
        ("患者发热三天。".encode(), r'looks like text \("患者发热三天。"\)'),
        ("患者发热三天,咳嗽。".encode("gb18030"), r'looks like text \("患者发热三天,咳嗽。"\)'),
        (b"P1 the patient\n", "looks like text"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "looks like a WAV recording"),
        (b"%PDF-1.7", "looks like a PDF document"),
        (b"\0\0\0\x18ftypheic", "looks like a HEIC picture"),
        (b"<!DOCTYPE html><html>", "looks like an HTML page, as a failed download leaves it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "looks like a Git LFS pointer"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing, which has no pixels"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "looks like text"),
        (b"\0" * 100, "looks like nothing but zero bytes"),
        (b"\x9c\x01\x02\xfe\xff\x80\x81", "looks like binary data of no known form"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_told_for_what_it_is(data, message):
    with pytest.raises(DataError, match=message):
        read_picture(data)


def test_missing_empty_and_folders(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"cat\.png has 0 bytes\. Copy or download it again"):
        read_picture(tmp_path / "cat.png")
    with pytest.raises(DataError, match=r"No file https://a/b\.png: it looks like an address, and files are read"):
        read_picture("https://a/b.png")
    (tmp_path / "loose.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"loose\.png: it is a link to .*gone\.png, and there is no such file"):
        read_picture(tmp_path / "loose.png")
    with pytest.raises(DataError, match=r"No file .*cat\.pgn; looked in .* Did you mean 'cat\.png'\?"):
        read_picture(tmp_path / "cat.pgn")
    with pytest.raises(DataError, match="there is no folder"):
        read_picture(tmp_path / "none" / "cat.png")
    with pytest.raises(DataError, match="is a folder where a file is expected"):
        read_picture(tmp_path)
    with pytest.raises(DataError, match="the bytes given has 0 bytes"):
        read_picture(b"")


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch):
    from PIL import ImageFile

    bomb = written(Image.new("1", (10_000, 6_000)), "PNG")  # 8 kB that hold 60 million pixels
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match=r"10,000 x 6,000 = 60,000,000 pixels; at most 50,000,000 .* raise the limit"):
        read_picture(bomb)


def test_the_limit_can_be_raised_and_pillows_own_stays(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = written(drawn(), "PNG")
    assert read_picture(data, most=24 * 36).shape == (24, 36, 3)
    with pytest.raises(DataError, match="at most 863 are decoded"):
        read_picture(data, most=24 * 36 - 1)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_a_large_jpeg_is_decoded_small():
    pixels = drawn(480, 640)
    data = written(pixels, "JPEG", quality=95)
    small = read_picture(data, about=(30, 40))
    assert small.shape == (120, 160, 3)
    assert np.abs(resized(small, (30, 40)).astype(int) - resized(pixels, (30, 40))).mean() < 2
    assert read_picture(written(pixels, "PNG"), about=(30, 40)).shape == (480, 640, 3)


def test_resized_fits():
    pixels = drawn(20, 40)
    assert resized(pixels, (10, 10)).shape == (10, 10, 3)
    assert resized(pixels[..., 0], (10, 10)).shape == (10, 10)
    assert resized(pixels, (20, 40)) is not pixels
    padded = resized(pixels, (40, 40), "pad")
    np.testing.assert_array_equal(padded[10:30], pixels)
    assert not padded[:10].any()
    assert not padded[30:].any()
    np.testing.assert_array_equal(resized(pixels, (20, 20), "crop"), pixels[:, 10:30])
    np.testing.assert_array_equal(
        resized(pixels, (5, 10)), np.asarray(Image.fromarray(pixels).resize((10, 5), Image.Resampling.BICUBIC))
    )
    assert resized(np.full((1, 500, 3), 7, np.uint8), (8, 8), "pad").max() == 7
    with pytest.raises(ValueError, match="resized needs uint8"):
        resized(pixels.astype(np.float32), (4, 4))


def scene(seed):
    draw = np.random.default_rng(seed)
    picture = Image.fromarray(drawn(120, 160, seed))
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        left, top = draw.integers(0, 110), draw.integers(0, 80)
        pen.ellipse(
            (left, top, left + draw.integers(10, 50), top + draw.integers(10, 40)), tuple(draw.integers(0, 256, 3))
        )
    return np.array(picture)


def test_copies_are_near_and_others_are_not():
    scenes = [scene(seed) for seed in range(30)]
    hashes = [perceptual_hash(each) for each in scenes]
    for pixels, own in zip(scenes, hashes, strict=True):
        copy = read_picture(written(resized(pixels, (90, 120)), "JPEG", quality=50))
        assert (perceptual_hash(copy) ^ own).bit_count() <= 6
    others = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(others) > 10
    assert perceptual_hash(np.full((9, 9, 3), 200, np.uint8)) == 0
    assert perceptual_hash(scenes[0][..., 0]) < 2**64


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=12), st.integers(0, 12), st.lists(st.integers(0, 63), max_size=30))
def test_near_pairs_are_all_pairs(hashes, most, flips):
    changed = [hashes[place % len(hashes)] ^ (1 << flip) for place, flip in enumerate(flips)] if hashes else []
    every = hashes + changed
    expected = [
        [i, j] for i in range(len(every)) for j in range(i + 1, len(every)) if (every[i] ^ every[j]).bit_count() <= most
    ]
    assert near_hashes(np.array(every, np.uint64), most).tolist() == expected
