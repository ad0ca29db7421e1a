"""What several pages share.

A page is one file `pages/NAME.py`; app.py finds it, so adding a page is adding one file. It has

- `TITLE`, a string literal: its name in the navigation; `ORDER`, a number literal: its place there. app.py reads
  both from the source without running it;
- `render()`, which draws the page for `state.current()`;
- at its end `if __name__ == "__main__": render()`, since Streamlit runs the file of the chosen page.

`state` alone maps choices to the URL and back, `data` brings what is slow from the library through caches,
`chrome` draws what every page has: figures with caption and download, signed chips, errors in one line.
Nothing here computes a number: that is what `analysis` is for.
"""
