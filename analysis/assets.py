"""Where the bundled assets lie: beside the package in a checkout, inside it in an installed wheel."""

from importlib.resources import files
from pathlib import Path


def assets_folder() -> Path:
    """The folder that holds `corpora/` and `encoders/`; not necessarily there in a partial install."""
    inside = Path(str(files("analysis"))) / "_assets"
    return inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "assets"
