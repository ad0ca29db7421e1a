"""From a result to a Plotly or Altair figure."""
