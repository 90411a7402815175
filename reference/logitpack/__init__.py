"""LogitPack: token-level teacher logits, packed."""
