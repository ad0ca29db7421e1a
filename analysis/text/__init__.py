"""From a file to words: readers, bundled corpora, segmentation, languages."""
