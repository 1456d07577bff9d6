"""Which language a text is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from synth.errors import UsageError

Detect = Callable[[str], tuple[str, float]]
"""Takes a text; gives the ISO 639-1 code of its language and how sure that is, 0 to 1."""

_ENOUGH = 2000
"""Characters of a text that are looked at: more do not make it surer."""


def detector(user: str, languages: Sequence[str]) -> Detect:
    """Made for ``user``, who asks for ``languages``. Raises ``UsageError`` without the extra or for unknown codes."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise UsageError(f"{user} needs py3langid", hint="pip install 'synth[clean]'") from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = sorted({str(code) for code in identifier.labels})
    for code in languages:
        if code not in known:
            raise UsageError(f"{user} knows no language {code!r}", hint=f"it knows {', '.join(known)}")

    def detect(text: str) -> tuple[str, float]:
        language, confidence = identifier.classify(text[:_ENOUGH])
        return str(language), float(confidence)

    return detect
