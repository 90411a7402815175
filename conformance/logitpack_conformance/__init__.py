"""The LogitPack conformance suite: it judges files and programs, and never imports the codec that it judges."""
