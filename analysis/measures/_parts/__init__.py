"""What several measures share: Gram matrices, spectra, linear maps, correlations. Nothing here is registered."""
