"""Run the command line as ``python -m logitpack.cli``."""

from __future__ import annotations

from logitpack.cli import main

if __name__ == "__main__":
    main()
