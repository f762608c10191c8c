"""Encodings of XML files: everything is turned into UTF-8 before it is parsed."""

from __future__ import annotations

import codecs
import mmap
import re
import tempfile
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared._jsonscan import Buffer

__all__ = ["in_utf8"]

_BLOCK = 1 << 20
_SMALL = 64 << 20
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_ENCODINGS = re.compile(
    r"(iso-?8859-\d+|latin-?1|us-ascii|ascii|windows-125\d|cp125\d|koi8-[ru]|utf-?16(le|be)?|"
    r"gbk|gb2312|gb18030|big5|shift_jis|euc-(jp|kr))",
    re.IGNORECASE,
)


def in_utf8(buffer: Buffer, file: str) -> Any:
    """The buffer itself when it is UTF-8, else its text in UTF-8 (a temporary file, mapped)."""
    head = bytes(buffer[:256])
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        name = "utf-16"
    else:
        declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
        name = declared.group(1).decode("ascii") if declared else "utf-8"
    if re.fullmatch(r"utf-?8", name, re.IGNORECASE):
        return buffer
    if not _ENCODINGS.fullmatch(name):
        raise FormatError(f"line 1: declared encoding {shorten(name)} is not supported, expected UTF-8", file=file)
    try:
        if len(buffer) <= _SMALL:
            return bytes(buffer).decode(name).encode("utf-8")
        decoder = codecs.getincrementaldecoder(name)()
        with tempfile.TemporaryFile() as spool:
            for at in range(0, len(buffer), _BLOCK):
                last = at + _BLOCK >= len(buffer)
                spool.write(decoder.decode(bytes(buffer[at : at + _BLOCK]), last).encode("utf-8"))
            spool.flush()
            return mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
    except UnicodeError as error:
        raise FormatError(f"the text is not in its declared encoding {name}: {error}", file=file) from error
