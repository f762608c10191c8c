"""``python -m maskcodec``."""

import sys

from maskcodec.cli import main

sys.exit(main())
