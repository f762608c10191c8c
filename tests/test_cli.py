"""The command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import maskcodec as mc
from maskcodec.cli import main
from tests.zoo import simple, zoo

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


@pytest.fixture
def coco(tmp_path):
    mc.write(zoo(), tmp_path / "in", "coco_instances")
    return tmp_path / "in"


def test_convert_prints_what_was_converted_and_lost(coco, tmp_path, capsys):
    assert main(["convert", str(coco), str(tmp_path / "out"), "--to", "hasty_coco"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("converted 6 items to hasty_coco")
    assert "dropped" in out
    assert err == ""
    assert mc.detect(tmp_path / "out") == "hasty_coco"


def test_dry_run_writes_nothing_and_json_is_json(coco, tmp_path, capsys):
    args = [
        "convert",
        str(coco),
        str(tmp_path / "out"),
        "--to",
        "hasty_coco",
        "--dry-run",
        "--json",
        "-o",
        "segmentation=rle",
    ]
    assert main(args) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["written"]) == (6, False)
    assert found["losses"]
    assert not (tmp_path / "out").exists()


def test_exit_codes(coco, tmp_path, capsys):
    target = str(tmp_path / "out")
    assert main(["convert", str(coco), target, "--to", "hasty_coco", "--on-loss", "raise"]) == 1
    assert main(["convert", str(coco), target, "--to", "coca"]) == 2
    assert "did you mean coco" in capsys.readouterr().err
    assert main(["convert", str(coco), target, "--to", "coco", "-o", "segmentatoin=rle"]) == 2
    assert "did you mean 'segmentation'" in capsys.readouterr().err
    assert main(["detect", str(tmp_path / "missing")]) == 2
    assert main(["convert", str(coco), str(coco), "--to", "coco", "--overwrite"]) == 2
    assert not (tmp_path / "out").exists()
    assert main(["convret", "a", "b"]) == 2
    assert "did you mean convert?" in capsys.readouterr().err


def test_detect_info_formats(coco, capsys):
    assert main(["detect", str(coco)]) == 0
    assert capsys.readouterr().out == "coco_instances\n"
    assert main(["info", str(coco), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["items"], found["subsets"]) == ("coco_instances", 6, {"default": 4, "val set": 2})
    assert main(["info", str(coco)]) == 0
    assert "categories:" in capsys.readouterr().out
    assert main(["formats", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == set(mc.formats())
    assert main(["formats"]) == 0
    assert "coco_instances" in capsys.readouterr().out
    assert main(["detect", str(coco), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "coco_instances"


def test_skipped_records_are_in_the_report(tmp_path, capsys):
    mc.write(simple(), tmp_path / "in.json", "coco")
    text = (tmp_path / "in.json").read_text()
    (tmp_path / "in.json").write_text(text.replace('"iscrowd":0', '"iscrowd":7', 1))
    assert main(["convert", str(tmp_path / "in.json"), str(tmp_path / "out"), "--to", "coco"]) == 2
    assert "annotations[0] (id 1): iscrowd" in capsys.readouterr().err
    assert (
        main(["convert", str(tmp_path / "in.json"), str(tmp_path / "out"), "--to", "coco", "--on-error", "skip"]) == 0
    )
    assert "unread 1 x" in capsys.readouterr().out


def test_as_a_module_without_a_traceback(tmp_path):
    run = [sys.executable, "-m", "maskcodec", "convert", str(tmp_path), str(tmp_path / "o"), "--to", "coco"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("maskcodec: ")
    assert "Traceback" not in done.stderr


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main([str(one) for one in arguments])
    return code, *capsys.readouterr()


def test_verify_reads_the_output_again(coco, tmp_path, capsys):
    code, out, _ = run(capsys, "convert", coco, tmp_path / "exact", "--to", "datumaro", "--verify")
    assert code == 0
    assert "verified: " in out
    assert "largest deviation 0 pixels, 0 px" in out
    code, out, _ = run(capsys, "convert", coco, tmp_path / "k", "--to", "kitti_detection", "--verify", "--json")
    found = json.loads(out)["verified"]
    assert code == 1  # a turned box lost its rotation: the report alone does not excuse that
    assert not found["equal"]
    assert found["distance"] == 30
    assert found["missing"] == {}  # masks and polygons are gone, and the report says so
    more = ["--verify", "--tolerance", 30]
    assert run(capsys, "convert", coco, tmp_path / "k2", "--to", "kitti_detection", *more)[0] == 0
    masks = mc.Dataset(simple().schema, [simple().items[0]])
    mc.write(masks, tmp_path / "masks", "coco_instances", on_loss="ignore")
    assert run(capsys, "convert", tmp_path / "masks", tmp_path / "p", "--to", "voc", "--verify")[0] == 0


def test_verify_finds_what_a_writer_does_wrong(coco, tmp_path, capsys, monkeypatch):
    from maskcodec.formats.datumaro import write as module

    original = module.json_items if hasattr(module, "json_items") else None
    assert original is None or callable(original)
    real = mc.read

    def moved(path, format=None, **how):
        dataset = real(path, format, **how)
        if "out" in str(path):
            dataset.load()
            box = next(a for item in dataset.items for a in item.annotations if a.kind == "box")
            box.x0 += 0.25
            dataset.items[0].annotations.pop(next(i for i, a in enumerate(dataset.items[0].annotations) if a.id == 12))
        return dataset

    monkeypatch.setattr("maskcodec.registry.read", moved)
    code, out, _ = run(capsys, "convert", coco, tmp_path / "out", "--to", "datumaro", "--verify")
    assert code == 1
    assert "NOT as the input" in out
    assert "0.25 px" in out
    assert "missing and not in the report: 1 x box" in out


def test_jobs_give_the_same(coco, tmp_path, capsys):
    assert run(capsys, "convert", coco, tmp_path / "a", "--to", "datumaro")[0] == 0
    assert run(capsys, "convert", coco, tmp_path / "b", "--to", "datumaro", "-j", 2)[0] == 0
    for file in (p for p in (tmp_path / "a").rglob("*") if p.is_file()):
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
    assert run(capsys, "convert", coco, tmp_path / "c", "--to", "datumaro", "-j", 0)[0] == 2


@pytest.fixture
def pictures(tmp_path):
    """A data set with its images."""
    folder = tmp_path / "pictures"
    (folder / "images").mkdir(parents=True)
    items = []
    for i in range(6):
        (folder / "images" / f"{i}.png").write_bytes(b"picture %d" % i)
        box = mc.Box(1, 2, 5 + i, 7, category_id=1 + i % 2)
        items.append(mc.Item(f"{i}", f"{i}.png", width=20, height=20, annotations=[box] * (i % 3)))
    schema = mc.LabelSchema([mc.Category(1, "cat"), mc.Category(2, "dog")])
    mc.write(mc.Dataset(schema, items), folder / "annotations", "coco_instances", on_loss="ignore")
    return folder


@pytest.mark.parametrize("how", ["copy", "hardlink", "symlink", "move"])
def test_media_are_placed(pictures, tmp_path, capsys, how):
    before = {p.name: p.read_bytes() for p in (pictures / "images").iterdir()}
    assert run(capsys, "convert", pictures, tmp_path / "out", "--to", "datumaro", "--media", how)[0] == 0
    found = {p.name: p for p in (tmp_path / "out").rglob("*.png")}
    assert {name: p.read_bytes() for name, p in found.items()} == before
    assert all(p.is_symlink() == (how == "symlink") for p in found.values())
    left = {p.name: p for p in (pictures / "images").iterdir()}
    assert left.keys() == (set() if how == "move" else before.keys())
    if how == "hardlink":
        assert all(p.samefile(left[name]) for name, p in found.items())
    if how != "copy":
        code, _, err = run(capsys, "convert", pictures, tmp_path / "out.zip", "--to", "datumaro", "--media", how)
        assert code == (0 if how == "move" else 2)  # moved already: reported as not found
        assert how == "move" or "into a folder" in err


def test_moved_media_stay_when_the_output_fails(pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("maskcodec.formats._shared.sink.Sink._commit", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["convert", str(pictures), str(tmp_path / "out"), "--to", "datumaro", "--media", "move"])
    assert len(list((pictures / "images").iterdir())) == 6
    assert not (tmp_path / "out").exists()


def test_media_are_listed(pictures, tmp_path, capsys):
    assert run(capsys, "convert", pictures, tmp_path / "out", "--to", "datumaro", "--media", "list")[0] == 0
    assert not list((tmp_path / "out").rglob("*.png"))
    rows = [line.split("\t") for line in (tmp_path / "out.media.tsv").read_text().splitlines()]
    assert [name for name, _ in rows] == [f"images/default/{i}.png" for i in range(6)]
    assert all(path == str(pictures / "images" / name.rpartition("/")[2]) for name, path in rows)
    code, _, err = run(capsys, "convert", pictures, tmp_path / "o", "--to", "datumaro", "--media", "simlink")
    assert code == 2
    assert "did you mean symlink?" in err


def test_merge_split_filter_remap_sample(pictures, tmp_path, capsys):
    out = tmp_path / "out"
    code, text, _ = run(capsys, "merge", pictures, pictures / "annotations", out, "--to", "coco", "--media", "copy")
    assert code == 0
    assert "wrote 12 items as coco" in text
    assert len(list(out.rglob("*.png"))) == 6  # those of the second are nowhere to be found, and the report says so
    assert "6 x item.media" in text
    assert [c.name for c in mc.read(out).schema] == ["cat", "dog"]
    args = ["split", pictures, tmp_path / "split", "--parts", "train=2,val=1", "--json"]
    code, text, _ = run(capsys, *args)
    assert (code, json.loads(text)["items"]) == (0, 6)
    assert sorted(mc.read(tmp_path / "split").subsets()) == ["train", "val"]
    code, text, _ = run(
        capsys, "filter", pictures, tmp_path / "dogs", "--category", "dog", "--min-area", 1, "--no-empty"
    )
    assert code == 0
    assert "kept: 4 of 6 items" in text or "kept: " in text
    assert {a.category_id for i in mc.read(tmp_path / "dogs").items for a in i.annotations} == {2}
    code, text, _ = run(capsys, "remap", pictures, tmp_path / "pets", "--map", "cat=pet", "--map", "dog=pet")
    assert code == 0
    assert [c.name for c in mc.read(tmp_path / "pets").schema] == ["pet"]
    (tmp_path / "map.json").write_text('{"cat": "lion", "dog": null}')
    assert run(capsys, "remap", pictures, tmp_path / "lions", "--file", tmp_path / "map.json")[0] == 0
    assert [c.name for c in mc.read(tmp_path / "lions").schema] == ["lion"]
    for size, count in ((2, 2), ("50%", 3), ("0.5", 3)):
        code, text, _ = run(capsys, "sample", pictures, tmp_path / f"s{size}", "--size", size, "--json")
        assert (code, json.loads(text)["items"]) == (0, count)
    for wrong in (
        ["filter", pictures, out, "--category", "cow"],
        ["remap", pictures, out, "--map", "cow=x"],
        ["remap", pictures, out, "--map", "cat"],
        ["split", pictures, out, "--parts", "train"],
        ["sample", pictures, out, "--size", "many"],
        ["sample", pictures, pictures, "--size", "1", "--overwrite"],
        ["merge", pictures, out, pictures, "--overwrite"],
    ):
        code, _, err = run(capsys, *wrong)
        assert code == 2, wrong
        assert err.startswith("maskcodec: ")
    assert (pictures / "images" / "0.png").exists()


def test_dry_runs_write_nothing(pictures, tmp_path, capsys):
    for verb in (
        ["merge", pictures], ["split", pictures], ["filter", pictures], ["remap", pictures], ["sample", pictures]
    ):  # fmt: skip
        more = {"split": ["--parts", "a=1"], "sample": ["--size", "1"]}.get(verb[0], [])
        code, text, _ = run(capsys, *verb, tmp_path / "out", *more, "--dry-run", "--json")
        assert (code, json.loads(text)["written"]) == (0, False)
    assert [p.name for p in tmp_path.iterdir()] == ["pictures"]


def test_validate_and_stats(pictures, tmp_path, capsys):
    code, text, _ = run(capsys, "validate", pictures)
    assert code == 0
    assert text.endswith("0 errors, 2 warnings\n")  # two boxes each drawn twice
    assert run(capsys, "validate", pictures, "--strict")[0] == 1
    code, text, _ = run(capsys, "validate", pictures, "--media", "--json")
    found = json.loads(text)
    assert (code, found["valid"]) == (1, False)
    assert {p["rule"] for p in found["problems"]} == {"duplicate", "media"}
    (file,) = pictures.rglob("*.json")
    document = json.loads(file.read_text())
    document["annotations"][0]["bbox"][2] = "x"
    document["annotations"][1]["category_id"] = 99
    document["annotations"][2]["iscrowd"] = 5
    file.write_text(json.dumps(document))
    code, text, _ = run(capsys, "validate", pictures, "--json")
    found = json.loads(text)
    assert code == 1
    assert found["errors"] == 3
    assert all("annotations[" in p["item"] or "annotations[" in p.get("annotation", "") or p["message"]
               for p in found["problems"])  # fmt: skip
    code, text, _ = run(capsys, "stats", pictures, "--on-error", "skip", "--json")
    assert json.loads(text)["items"] == 6
    assert "annotations an item" in run(capsys, "stats", pictures, "--on-error", "skip")[1]


def test_diff_is_a_difftool(pictures, tmp_path, capsys):
    mc.convert(pictures, tmp_path / "voc", "voc", on_loss="ignore")
    assert run(capsys, "diff", pictures, pictures)[0] == 0
    code, text, _ = run(capsys, "diff", pictures, tmp_path / "voc", "--geometry-only")
    assert code == 0, text
    changed = mc.read(pictures).load()
    changed.items[1].annotations[0].x1 += 2
    mc.write(changed, tmp_path / "b", "datumaro", on_loss="ignore")
    code, text, _ = run(capsys, "diff", pictures, tmp_path / "b")
    assert code == 1
    assert "2 px apart" in text
    code, text, _ = run(capsys, "diff", pictures, tmp_path / "b", "--json", "--tolerance", 2)
    assert (code, json.loads(text)["equal"]) == (0, True)


def test_errors_as_json_and_nearest_names(pictures, tmp_path, capsys):
    code, out, err = run(capsys, "convert", tmp_path / "picture", tmp_path / "o", "--to", "coco", "--json")
    assert (code, err) == (2, "")
    assert json.loads(out)["error"]["type"] == "FileNotFoundError"
    assert f"did you mean {tmp_path / 'pictures'}?" in json.loads(out)["error"]["message"]
    code, _, err = run(capsys, "convert", pictures, tmp_path / "o", "--to", "coco", "--dryrun")
    assert code == 2
    assert "did you mean --dry-run?" in err
    assert "usage: maskcodec convert" in err
    code, out, _ = run(capsys, "convert", pictures, tmp_path / "o", "--to", "cocco", "--json")
    assert json.loads(out)["error"]["candidates"]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.json").write_text('{"images": [], "annotations": [{"id": 1}], "categories": []}')
    code, out, _ = run(capsys, "info", tmp_path / "broken", "--from", "coco_instances", "--json")
    assert (code, json.loads(out)["error"]["file"]) == (2, "a.json")
    assert run(capsys, "formats", "voc")[0] == 0
    assert json.loads(run(capsys, "formats", "voc", "--json")[1])["name"] == "voc"
    assert run(capsys, "formats", "vok")[0] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, capsys):
    code, text, _ = run(capsys, "completion", shell)
    assert code == 0
    assert "convert" in text
    if shell != "fish":
        script = text.replace("autoload -U +X bashcompinit && bashcompinit\n", "")
        asked = "COMP_WORDS=(maskcodec convert --ver); COMP_CWORD=2; _maskcodec; echo ${COMPREPLY[@]}"
        done = subprocess.run(["bash", "-c", f"{script}\n{asked}"], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["--verify"]


def test_no_progress_without_a_terminal(coco, tmp_path, capsys, monkeypatch):
    assert run(capsys, "convert", coco, tmp_path / "a", "--to", "coco")[2] == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert run(capsys, "convert", coco, tmp_path / "b", "--to", "coco")[2] != ""
    assert run(capsys, "convert", coco, tmp_path / "c", "--to", "coco", "-q")[2] == ""


def test_show_and_plots(coco, tmp_path, capsys, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    code, text, _ = run(capsys, "show", coco)
    assert (code, text.splitlines()[0]) == (0, "in.png")
    assert run(capsys, "show", coco)[0] == 2  # never replaced unasked
    code, text, _ = run(capsys, "show", coco, "--item", "a.png", "-O", "one.png", "--json", "--width", 400)
    found = json.loads(text)
    with Image.open("one.png") as picture:
        assert picture.size == (found["width"], found["height"])
    code, _, err = run(capsys, "show", coco, "--item", "unsizd.png", "-O", "two.png")
    assert code == 2
    assert "did you mean 'unsized.png'?" in err
    assert run(capsys, "stats", coco, "--plots", "plots.png")[0] == 0
    changed = mc.read(coco).load()
    next(a for a in changed.items[0].annotations if a.kind == "mask").rle = mc.Rle.from_box((0, 0, 5, 5), (12, 20))
    mc.write(changed, tmp_path / "b", "coco_instances", on_loss="ignore")
    code, text, _ = run(capsys, "diff", coco, tmp_path / "b", "--pictures", "differences")
    assert code == 1
    assert [p.name for p in (tmp_path / "differences").iterdir()] == ["a.png"]
    for name in ("in.png", "plots.png", "differences/a.png"):
        with Image.open(name) as picture:
            assert min(picture.size) > 50
