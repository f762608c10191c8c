"""Traps of Datumaro by their numbers in section 6 of its description, where ``test_datumaro`` has none.

Elsewhere: 1, 2, 4, 5, 8, 9, 10, 11, 12 ``test_datumaro``; 7 ``conformance.test_datumaro``; bad annotations
``test_datumaro.BAD``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from tests.formats.test_datumaro import again, document, note, one, text

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

BONES = note("skeleton", label_id=1, points=[1, 2, 2, 3, 4, 1], z_order=3)


@pytest.mark.parametrize("kind", [BONES, note("points", points=[1, 2, 3, 4], visibility=[2, 1], z_order=-3)])
def test_traps_02_and_03_depth_and_visibility_are_kept(tmp_path: Path, kind: dict) -> None:
    (shape,) = one(document(kind))
    assert (shape.z_order, list(shape.visibility)) == (kind["z_order"], [2, 1])
    again(document(kind), tmp_path)
    (back,) = [a for i in mc.read(tmp_path / "out").items for a in i.annotations]
    assert (back.z_order, list(back.visibility)) == (kind["z_order"], [2, 1])


def test_trap_06_skeletons_are_written_as_such(tmp_path: Path) -> None:
    row = again(document(BONES), tmp_path)[0]["items"][0]["annotations"][0]
    assert row["type"] == "skeleton"


def test_trap_07_labels_beyond_the_table_and_masks_of_their_own_size() -> None:
    mask = note("mask", rle={"counts": [1, 5], "size": [2, 3]})
    whole = document(note("bbox", bbox=[1, 2, 3, 4], label_id=6), mask)
    with pytest.raises(mc.FormatError, match="below 6"):
        one(whole)
    data = mc.read(text(whole), "datumaro", on_error="skip").load()
    (kept,) = data.items[0].annotations
    assert kept.rle.shape == (2, 3)
    assert sorted(loss.field for loss in data.report) == ["label_id", "rle"]


@pytest.mark.parametrize("mode", ["raise", "skip"])
@pytest.mark.parametrize("cut", [1, 40])
def test_bad_files_say_where(mode: str, cut: int) -> None:
    data = text(document(note("bbox", bbox=[1, 2, 3, 4])))[:-cut]
    with pytest.raises(mc.FormatError, match=r"[0-9]+"):
        mc.read(data, "datumaro", on_error=mode).load()


@pytest.mark.parametrize("mode", ["raise", "skip"])
@pytest.mark.parametrize("key", ["categories", "items"])
def test_bad_files_without_their_lists(mode: str, key: str) -> None:
    whole = document()
    del whole[key]
    with pytest.raises(mc.FormatError) as caught:
        mc.read(text(whole), "datumaro", on_error=mode)
    assert caught.value.field == key


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"1e999"])
def test_bad_numbers_cost_an_item_at_most(literal: bytes) -> None:
    whole = document(note("bbox", bbox=[1, 2, 3, 12345]))
    whole["items"].append({**document(note("bbox", bbox=[1, 2, 3, 4]))["items"][0], "id": "b"})
    data = mc.read(text(whole).replace(b"12345", literal), "datumaro", on_error="skip").load()
    assert data.items[-1].id == "b" and len(data.items[-1].annotations) == 1
    assert sum(len(i.annotations) for i in data.items) == 1 and data.report.total == 1
