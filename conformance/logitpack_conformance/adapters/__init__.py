"""Adapters: programs that the suite starts and talks to. Nothing else of the suite imports these modules."""
