"""Zero-shot transfer: fine-tune in one language, read the gain in the others."""
