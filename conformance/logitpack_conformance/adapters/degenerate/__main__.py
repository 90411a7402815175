"""Start a degenerate adapter, or list all of them."""

from __future__ import annotations

import sys

from logitpack_conformance.adapters.degenerate import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
