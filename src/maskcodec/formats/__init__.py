"""One module (or folder) per annotation format; see ``maskcodec.registry`` for the table.

The package has the name of the public function ``maskcodec.formats()``, and importing it puts it in the function's
place. So the package itself can be called and does what the function does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskcodec.formats._base import Format


class _Package(ModuleType):
    def __call__(self) -> Mapping[str, Format]:
        from maskcodec import registry

        return registry.formats()


sys.modules[__name__].__class__ = _Package
