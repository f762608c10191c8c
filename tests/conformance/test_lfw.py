"""LFW on the samples of its specification."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def root(samples: Path) -> Path:
    return samples / "lfw"


def test_basic(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "basic") == "lfw"
    data = mc.read(root / "basic", on_loss="ignore").load()
    assert [str(loss.reason) for loss in data.report] == ["the header announces another number of pairs"]
    names = {c.id: c.name for c in data.schema}
    assert list(names.values()) == ["name0", "name1"]
    found = {i.id: i for i in data.items}
    assert {key: (i.subset, i.width, i.height, names[i.annotations[0].category_id]) for key, i in found.items()} == {
        "name0/name0_0001": ("test", 5, 2, "name0"), "name1/name1_0001": ("test", 5, 2, "name1"),
        "name1/name1_0002": ("test", 5, 2, "name1"),
    }  # fmt: skip
    assert found["name0/name0_0001"].annotations[0].attributes == {
        "negative_pairs": ["name1/name1_0001", "name1/name1_0002"]
    }
    assert found["name1/name1_0001"].annotations[0].attributes == {"positive_pairs": ["name1/name1_0002"]}
    marks = {key: i.annotations[1].xy.tolist() for key, i in found.items()}
    assert marks == {
        "name0/name0_0001": [[0, 4], [3, 3], [2, 2], [1, 0], [3, 0]],
        "name1/name1_0001": [[1, 6], [4, 6], [3, 3], [2, 1], [4, 1]],
        "name1/name1_0002": [[0, 5], [3, 5], [2, 2], [1, 0], [3, 0]],
    }
    assert [(link.source[1][-4:], link.target[1][-4:], link.attributes) for link in data.links] == [
        ("0001", "0002", {"positive": True, "fold": 1}), ("0001", "0001", {"positive": False, "fold": 1}),
        ("0001", "0002", {"positive": False, "fold": 1}),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "lfw", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out", on_loss="ignore"))
    for name in ("pairs.txt", "people.txt"):
        text = (root / "basic/test/annotations" / name).read_text().replace("1 \t", "1\t").strip()
        assert (tmp_path / "out/test/annotations" / name).read_text().strip() == text


def test_real_pairs(root: Path, tmp_path: Path) -> None:
    folder = root / "real" / "lfw"
    assert mc.detect(root / "real") == "lfw"
    data = mc.read(root / "real", on_loss="raise").load()
    assert data.extras["lfw"]["headers"] == {"lfw": [10, 300]}
    assert Counter(link.attributes["positive"] for link in data.links) == {True: 3000, False: 3000}
    assert Counter(link.attributes["fold"] for link in data.links) == dict.fromkeys(range(1, 11), 600)
    assert (len(data.schema), len(data.items)) == (4281, 7701)
    firsts = [data.links[at * 600] for at in range(10)]
    ends = [(link.source[1], int(link.source[1][-4:]), int(link.target[1][-4:])) for link in firsts]
    assert [(first.partition("/")[0], a, b) for first, a, b in ends] == [
        ("Abel_Pacheco", 1, 4), ("Abdullah_Gul", 1, 6), ("Aaron_Sorkin", 1, 2), ("Abdoulaye_Wade", 1, 2),
        ("Aitor_Gonzalez", 1, 2), ("Aaron_Peirsol", 1, 4), ("Adam_Scott", 1, 2), ("Aleksander_Kwasniewski", 1, 2),
        ("Adrian_McPherson", 1, 2), ("Abdel_Nasser_Assidi", 1, 2),
    ]  # fmt: skip
    assert data.links[-1].source[1] == "Slobodan_Milosevic/Slobodan_Milosevic_0002"
    assert data.links[-1].target[1] == "Sok_An/Sok_An_0001"
    assert max(int(i.id[-4:]) for i in data.items) == 482
    report = mc.write(data, tmp_path / "out", "lfw", on_loss="ignore")
    assert {loss.field for loss in report} == {"extras.lfw.counts"}
    written = (tmp_path / "out/lfw/annotations/pairs.txt").read_bytes()
    assert written == (folder / "annotations/pairs.txt").read_bytes()
    assert mc.read(tmp_path / "out").links == data.links
