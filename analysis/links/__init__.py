"""Word-alignment decoders: from the similarities of two sentences' words to links between them."""
