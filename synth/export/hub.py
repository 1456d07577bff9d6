"""A run's dataset put on the Hugging Face hub, or a hub that speaks its protocol (``HF_ENDPOINT``)."""

from __future__ import annotations

from pathlib import Path

from synth.errors import RunError, UsageError

PUBLIC = (
    "README.md",
    "croissant.json",
    "dataset/*.jsonl",
    "dataset/**/*.jsonl",
    "dataset/**/*.parquet",
    "pictures/*.png",
    "pictures/*.svg",
)
"""What is put there: the rows with their card and metadata; calls, rejected attempts and records stay here."""


def push(run_dir: Path, repository: str, *, private: bool) -> str:
    """Make the dataset repository ``owner/name`` where there is none, put the files there, return its address.

    The token is what ``huggingface_hub`` finds (``HF_TOKEN``, or a login). Raises ``UsageError`` for a run without a
    dataset, a name that is none and a token that is refused, ``RunError`` for a hub that cannot be reached.
    """
    if not (run_dir / "croissant.json").is_file():
        hint = "run its recipe: it writes the dataset when it ends"
        raise UsageError(f"{run_dir} holds no finished dataset", hint=hint)
    try:
        from httpx2 import HTTPError  # what huggingface_hub speaks HTTP with
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
    except ImportError as error:
        raise UsageError("pushing needs huggingface_hub", hint="pip install 'synth[hub]'") from error
    api = HfApi()
    try:
        made = api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id,
            repo_type="dataset",
            folder_path=run_dir,
            allow_patterns=list(PUBLIC),
            commit_message="Add the dataset that synth made",
        )
    except (HFValidationError, LocalTokenNotFoundError) as error:
        raise UsageError(str(error).splitlines()[0], hint="give owner/name, and a token in HF_TOKEN") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in {401, 403}:
            hint = "set HF_TOKEN to a token that may write there"
            raise UsageError(f"{api.endpoint} refuses to write {repository} (HTTP {status})", hint=hint) from error
        raise RunError(f"{api.endpoint} answered HTTP {status} for {repository}", hint="try again later") from error
    except (HTTPError, OSError) as error:
        raise RunError(f"{api.endpoint} cannot be reached: {type(error).__name__}", hint="try again later") from error
    return str(made)
