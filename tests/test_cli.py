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
