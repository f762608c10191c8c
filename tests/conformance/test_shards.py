"""Every sample converted in shards: the same bytes and the same report as in one go."""

from __future__ import annotations

import re

import pytest

import maskcodec as mc
from tests.conformance.test_detection import SAMPLES
from tests.test_shards import digest, in_shards

CASES = [(f"{folder}/{name}", format) for folder, named in SAMPLES.items() for name, format in named.items()]
pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.LossWarning")


@pytest.mark.parametrize(("name", "format"), CASES)
def test_every_sample(samples, name, format, tmp_path):
    to = "coco" if format != "coco" else "voc"
    source = samples / name
    try:
        plain = mc.convert(source, tmp_path / "plain", to, on_error="skip", on_loss="ignore")
    except mc.FormatError as error:  # several documents, a mask of another size: the same words
        with pytest.raises(mc.FormatError, match=re.escape(str(error))):
            in_shards(source, tmp_path / "out", to, 3, on_error="skip")
        return
    assert in_shards(source, tmp_path / "out", to, 3, on_error="skip") == plain
    assert digest(tmp_path / "out") == digest(tmp_path / "plain")
