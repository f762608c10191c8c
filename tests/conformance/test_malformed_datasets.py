"""Every malformed data set of the corpus whose format is registered, strict and lenient."""

from __future__ import annotations

import builtins
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec import registry
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.source import Source

# Name of a format in the corpus -> name to read it by, and the format that must be registered for its cases.
READ_AS = {"coco": "coco", "cvat": "cvat", "datagym": "datagym", "hasty": "hasty"}
READ_AS |= {"segments": "segments", "datumaro": "datumaro", "mask": "segmentation_mask", "tf_detection_api": "tfrecord"}
READ_AS |= {"mots": "mots_png"}
SAME = ("yolo", "voc", "vgg_face2", "labelme", "mot", "icdar_text_localization", "wider_face")
READ_AS |= dict(zip(SAME, SAME, strict=True))
NEEDS = {
    "coco": "coco_instances", "cvat": "cvat_images", "hasty": "hasty_json", "segments": "segments_image_segmentation",
    **{name: read_as for name, read_as in READ_AS.items() if name not in ("coco", "cvat", "hasty", "segments")},
}  # fmt: skip
# Not a format: pictures alone, tested one level below.
NOT_COVERED = {"image"}
# Cases of those formats whose fault lies in the archive or the picture, tested one level below the formats.
ARCHIVES = "zip-"
PICTURES = "png-"

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def corpus() -> tuple[Path, list[dict[str, Any]]]:
    folder = os.environ.get("MASKCODEC_SAMPLES")
    index = Path(folder or "/nonexistent") / "malformed" / "datasets" / "index.json"
    if not index.is_file():
        return index.parent, []
    return index.parent, json.loads(index.read_text("utf-8"))["cases"]


ROOT, CASES = corpus()


def readable(case: dict[str, Any]) -> bool:
    return NEEDS.get(case["format"]) in registry.formats()


def ids(cases: list[dict[str, Any]]) -> list[Any]:
    if not cases:
        reason = "MASKCODEC_SAMPLES is not set; it names the folder with the sample data sets"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="no samples")]
    return [pytest.param(case, id=case["id"]) for case in cases]


# The picture at fault is not opened to read the annotations; ``test_archives`` has the case.
BELOW = ("zip-size-lie",)
COVERED = ids([case for case in CASES if readable(case) and case["id"] not in BELOW])


def error_types(text: str) -> tuple[type[BaseException], ...]:
    return tuple(getattr(builtins, name) for name in text.split("|"))


def check_message(error: BaseException, wanted: list[list[str]]) -> None:
    message = str(error).lower()
    for alternatives in wanted:
        assert any(text.lower() in message for text in alternatives), f"{alternatives} not in: {error}"
    assert len(message) < 2000


def load(case: dict[str, Any], on_error: str) -> tuple[mc.Dataset, list[mc.Item]]:
    dataset = mc.read(ROOT / case["path"], READ_AS[case["format"]], on_error=on_error)
    return dataset, list(dataset.items)


def count(items: list[mc.Item]) -> dict[str, int]:
    return {"images": len(items), "annotations": sum(len(item.annotations) for item in items)}


@pytest.mark.parametrize("case", COVERED)
def test_strict(case):
    wanted = case["strict"]
    if "ok" in wanted:
        dataset, items = load(case, "raise")
        found: dict[str, Any] = dict(count(items))
        found["pixels"] = {str(a.id): a.rle.area for item in items for a in item.annotations if a.kind == "mask"}
        found["ids"] = [str(item.id).partition("/")[2] for item in items]  # below the folder of their label
        found["label"] = dataset.schema.categories[0].name if len(dataset.schema) else ""
        assert {key: found[key] for key in wanted["ok"]} == wanted["ok"]
        return
    with pytest.raises(error_types(wanted["error"])) as caught:
        load(case, "raise")
    check_message(caught.value, wanted["message_names"])
    if isinstance(caught.value, mc.FormatError):
        assert caught.value.file


@pytest.mark.parametrize("case", COVERED)
def test_lenient(case):
    wanted = case["lenient"]
    if wanted.get("fatal"):
        with pytest.raises(error_types(case["strict"]["error"])):
            load(case, "skip")
        return
    dataset, items = load(case, "skip")
    found = count(items)
    for key in ("images", "annotations"):
        if key in wanted:
            assert found[key] == wanted[key]
    reports = sum(loss.count for loss in dataset.report if loss.action == "unread")
    if "report" in wanted:
        assert reports == wanted["report"]
    else:
        assert reports >= wanted.get("skipped", 0)
        assert bool(reports) == ("skipped" in wanted or "keep" in wanted), dataset.report
    assert {loss.action for loss in dataset.report} <= {"unread", "defaulted"}  # the latter: what a reader assumed


_opened: list[str] | None = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _opened is None:
        return
    if event == "open" and isinstance(args[0], (str, bytes)):
        _opened.append(os.path.realpath(os.fsdecode(args[0])))
    elif event in ("socket.connect", "subprocess.Popen", "pickle.find_class"):
        _opened.append(f"<{event}>")


sys.addaudithook(_hook)


def tree(folder: Path) -> dict[str, int]:
    return {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("case", COVERED)
def test_stays_inside(case, tmp_path):
    """Read leniently and write with media: nothing is opened or made outside of the input and the output."""
    global _opened
    out = tmp_path / "around" / "out"
    out.parent.mkdir()
    (out.parent / "canary.txt").write_text("canary")
    before = tree(ROOT)
    _opened = []
    try:
        for media in ("reference", "copy"):
            try:
                mc.convert(
                    ROOT / case["path"], out / media, "coco", READ_AS[case["format"]], on_error="skip", media=media
                )
            except (ValueError, OSError):
                pass  # a refusal is fine here; what counts is what was touched
    finally:
        opened, _opened = _opened, None
    target = (ROOT / case["path"]).resolve()
    inside = [str(target if target.is_dir() else target.parent), str(tmp_path.resolve())]
    own = [os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, Path(mc.__file__).parent)]
    outside = [name for name in opened if not name.startswith((*inside, *own))]
    assert outside == []
    assert tree(ROOT) == before
    made = tree(tmp_path)
    assert all(name.startswith("around/out/") or name == "around/canary.txt" for name in made), made
    secret = case.get("safety", {}).get("never_contains")
    if secret:
        assert not any(secret.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_list_of_what_is_not_covered_is_fresh():
    if not CASES:
        pytest.skip("MASKCODEC_SAMPLES is not set")
    open_cases = {case["format"] for case in CASES if not readable(case)}
    assert open_cases & (READ_AS.keys() - {name for name in READ_AS if NEEDS[name] not in registry._TABLE}) == set()
    assert open_cases - READ_AS.keys() == NOT_COVERED


@pytest.mark.parametrize("case", ids([case for case in CASES if case["id"].startswith(ARCHIVES)]))
def test_archives(case):
    path, wanted = ROOT / case["path"], case["strict"]

    def everything(on_error: str) -> Source:
        source = Source(path, on_error=on_error)
        for name in source.files:
            source.read(name)
        return source

    if case["id"] == "zip-inner-zip":
        with pytest.raises(mc.UnknownFormatError) as caught:
            mc.detect(path)
        check_message(caught.value, wanted["message_names"])
        return
    with pytest.raises(mc.FormatError) as caught:
        everything("raise")
    check_message(caught.value, wanted["message_names"])
    if not case["lenient"].get("fatal") and case["id"] != "zip-size-lie":
        source = everything("skip")
        assert source.report.total == case["lenient"]["skipped"]
        assert source.files == ["annotations.xml", "images/a.png"]


@pytest.mark.parametrize("case", ids([case for case in CASES if case["id"].startswith(PICTURES)]))
def test_pictures(case):
    wanted = case["strict"]
    data = (ROOT / case["path"] / "SegmentationClass" / "a.png").read_bytes()
    if "ok" in wanted or case["id"] in ("png-16bit-gray", "png-unknown-colour"):
        # Sound pictures: only a format can object to what their values mean.
        pixels, header, _ = read_png(data, "a.png")
        assert pixels.shape[:2] == (header.height, header.width)
        if case["id"] == "png-16bit-gray":
            assert pixels.dtype == "uint16"
            assert pixels.max() == 300
        return
    with pytest.raises(mc.FormatError) as caught:
        read_png(data, "a.png")
    check_message(caught.value, wanted["message_names"])
