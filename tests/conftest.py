"""Where the tests find things.

The product is whatever is installed; the repository comes last on the path, so that `tests` and `demo`
are found there and `appliance` only where none is installed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

# A busy machine makes an example slow, not wrong. `make test` tries the same examples each time; `make load` new ones.
settings.register_profile("signalbox", deadline=None, derandomize=os.environ.get("SIGNALBOX_SEED") != "new")
settings.load_profile("signalbox")
