"""From a name to an encoder to vectors: bundled, hub, local and aligned encoders."""
