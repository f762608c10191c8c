"""Labels are inside the picture, apart from one another, and legible."""

from __future__ import annotations

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures import draw
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.labels import Label, Labels, shortened
from maskcodec.pictures.legend import Entry, below
from maskcodec.pictures.palette import Colors
from maskcodec.pictures.words import label_text


def test_labels_stay_inside_and_apart():
    rng = np.random.default_rng(1)
    for size in ((640, 480), (300, 900), (120, 60)):
        canvas = Canvas.blank(size)
        labels = Labels(canvas, 12)
        for at in range(120):
            low = rng.uniform(-50, max(size), 2)
            labels.write(Label(f"label {at}", (*low, *(low + rng.uniform(0, 200, 2))), (30, 120, 255), bool(at % 3)))
        assert len(labels.places) + labels.crowded_out == 120 and len(labels.places) > 3
        taken = np.zeros((size[1], size[0]), int)
        for x0, y0, x1, y1 in labels.places:
            assert 0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1]
            taken[y0:y1, x0:x1] += 1
        assert taken.max() == 1


def test_a_label_is_written_where_its_place_is():
    canvas = Canvas.blank((200, 100))
    labels = Labels(canvas, 14)
    assert labels.write(Label("person", (50, 60, 150, 90), (0, 0, 120)))
    ((x0, y0, x1, y1),) = labels.places
    assert y1 == 60 and x0 == 50  # on top of its box
    seen = np.array(canvas.image)
    inside = np.zeros((100, 200), bool)
    inside[y0:y1, x0:x1] = True
    assert (seen[~inside] == 255).all()
    ink = (seen[inside].min(axis=1) > 200).mean()
    assert 0.05 < ink < 0.5  # white text on dark blue
    dark = Canvas.blank((200, 100))
    Labels(dark, 14).write(Label("person", (50, 60, 150, 90), (255, 255, 0)))
    assert (np.array(dark.image)[inside].max(axis=1) < 60).mean() > 0.05  # black text on yellow


def test_points_and_small_shapes_are_not_covered():
    canvas = Canvas.blank((200, 100))
    labels = Labels(canvas, 12)
    labels.keep_free(np.array([[60.0, 50.0], [1e300, np.nan], [-5.0, -5.0]]), 4)
    labels.spare((50, 20, 90, 40))
    assert labels.write(Label("abc", (50, 40, 120, 90), (0, 0, 0)))
    x0, y0, x1, y1 = labels.places[0]
    assert not (x0 < 62 and x1 > 58 and y0 < 52 and y1 > 48)
    assert not (x0 < 90 and x1 > 50 and y0 < 40 and y1 > 20)


TEXTS = ["", "a" * 400, "道路", "عربى", "Ünïcödé ß", "😀\u200d", "\ud800", "\x00\n\t", "Кот", "ไทย"]


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_any_script(text):
    schema = mc.LabelSchema([mc.Category(1, text)])
    item = mc.Item("a", width=200, height=100, annotations=[mc.Box(10, 30, 90, 90, category_id=1), mc.Caption(text)])
    assert draw(item, schema=schema, legend=True).size[0] == 220
    face, shown = pillow.font(13).of(text)
    assert pillow.text_size(face, shown)[0] >= 0 and "\n" not in shown


def test_scripts_without_a_font(monkeypatch):
    monkeypatch.setattr(pillow, "_system_faces", lambda size: ())
    assert pillow.Face(12).of("Über Straße…")[1] == "Uber Strasse..."
    assert pillow.Face(12).of("道 a")[1] == "? a"
    schema = mc.LabelSchema([mc.Category(1, "道")])
    item = mc.Item("a", width=300, height=200, annotations=[mc.Box(10, 30, 90, 90, category_id=1)])
    pillow.font.cache_clear()
    assert draw(item, schema=schema).notes == ["a label whose script the font does not have: give one (font=)"]


def test_without_a_scalable_font(monkeypatch):
    from PIL import ImageFont

    plain = getattr(ImageFont, "load_default_imagefont", ImageFont.load_default)()

    def old(*args: object) -> object:
        if args:
            raise TypeError("load_default() takes 0 positional arguments")
        return plain

    monkeypatch.setattr(pillow.ImageFont, "load_default", old)
    monkeypatch.setattr(pillow, "_system_faces", lambda size: ())
    pillow.font.cache_clear()
    try:
        schema = mc.LabelSchema([mc.Category(1, "cat ü 道")])
        item = mc.Item("a", width=300, height=200, annotations=[mc.Box(10, 60, 90, 90, category_id=1), mc.Caption("x")])
        assert pillow.font(12).of("cat ü 道")[1] == "cat u ?"
        drawn, bare = (draw(item, schema=schema, labels=labels).array[:200] for labels in (True, False))
        assert (drawn != bare).any(axis=2).sum() > 100
    finally:
        pillow.font.cache_clear()


def test_missing_font():
    with pytest.raises(OSError, match="'nowhere.ttf' cannot be opened"):
        draw(mc.Item("a", width=300, height=200, annotations=[mc.Box(1, 1, 5, 5)]), font="nowhere.ttf")


def test_what_a_label_says():
    colors = Colors(mc.LabelSchema([mc.Category(1, "cat")]))
    box = mc.Box(0, 0, 1, 1, category_id=1, track_id=7, score=0.5, is_crowd=True, attributes={"age": 3})
    assert label_text(box, colors, True) == "cat #7 (crowd) 0.50 age=3"
    assert label_text(mc.Box(0, 0, 1, 1), colors, True) == ""
    assert label_text(mc.Box(0, 0, 1, 1, category_id=9), colors, False) == "[9]"
    assert shortened("abcdefgh", 6) == "abc..." and shortened("abc", 3) == "abc"


def test_keyframes_have_a_mark():
    box = mc.Box(10, 60, 90, 90, category_id=1, track_id=7)
    schema = mc.LabelSchema([mc.Category(1, "cat")])
    plain = draw(mc.Item("a", width=300, height=200, annotations=[box]), schema=schema).array
    box.keyframe = True
    assert (draw(mc.Item("a", width=300, height=200, annotations=[box]), schema=schema).array != plain).any()


def test_strips_wrap_and_never_cut_off():
    image = pillow.new((260, 40), (1, 2, 3))
    entries = [Entry(f"entry {i}", (250, 0, 0)) for i in range(30)] + [Entry("w" * 300, None, True)]
    out = np.array(below(image, entries, 12))
    assert out.shape[1] == 260 and (out[:40] == (1, 2, 3)).all()
    strip = out[40:]
    for edge in (strip[:, :3], strip[:, -3:], strip[-3:]):
        assert (edge == 255).all()  # nothing runs into an edge
    squares = (np.abs(strip.astype(int) - (250, 0, 0)).max(axis=2) == 0).sum()
    assert squares == 30 * 9 * 9
    assert below(image, [], 12) is image
    many = below(image, [Entry("x", None, True)] * 500, 12)
    assert many.height < 2000
