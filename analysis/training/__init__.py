"""Fine-tuning a base encoder on sentence pairs: examples, batches, the trainable network, the loop."""
