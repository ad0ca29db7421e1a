"""Encoders of the Hugging Face hub: the local copy first, then the network; weights as safetensors only."""

from functools import partial
from pathlib import Path

from analysis.errors import InputError, IsoglossError

_WANTED = ["config.json", "*.safetensors", "*.safetensors.index.json", "tokenizer*", "special_tokens_map.json",
           "vocab*", "merges.txt", "*.model"]  # fmt: skip
_IGNORED = ["onnx/*", "openvino/*", "*/*.safetensors", "original/*"]


def hub_folder(name: str, repo: str, revision: str | None) -> Path:
    """The folder of a hub encoder, downloaded if it is not here yet; its name is the commit.

    Args:
        name: what the user called it, for messages.
        repo: ORG/NAME.
        revision: branch, tag or commit; None means the default branch.

    Raises:
        InputError: no such repository or revision, or it is closed to this user.
        IsoglossError: neither the local copy nor the hub can be reached, or the disk is full.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    fetch = partial(snapshot_download, repo, revision=revision, allow_patterns=_WANTED, ignore_patterns=_IGNORED)
    try:
        folder = Path(fetch(local_files_only=True))
        if (folder / "config.json").exists() and list(folder.glob("*.safetensors")):
            return folder
    except HFValidationError as error:
        raise InputError(f"{name!r} is no hub name; valid: hub:ORG/NAME or hub:ORG/NAME@REVISION") from error
    except (LocalEntryNotFoundError, FileNotFoundError):
        pass
    try:
        return Path(fetch())
    except RevisionNotFoundError as error:
        raise InputError(f"encoder {name!r}: the hub has no revision {revision!r}; leave out @{revision}") from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"encoder {name!r} is not on the hub, or not open to you; check it, or log in with: hf auth login"
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise IsoglossError(
            f"cannot fetch encoder {name!r}: the hub is out of reach and there is no local copy; "
            "use bundled, or give a folder saved with save_pretrained()"
        ) from error
