"""Croissant 1.1 metadata (JSON-LD): which files a dataset has, and what their records hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synth.messages import Json
from synth.recipe.schema import Recipe

_CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "jsonPath": "cr:jsonPath",
    "recordSet": "cr:recordSet",
    "sc": "https://schema.org/",
    "source": "cr:source",
}
_FIELDS = {
    "id": "Names the row and its work unit.",
    "kind": "The kind of generator that made it.",
    "generator": "The generator's id in the recipe.",
    "seed_id": "The curated example it was made from.",
    "messages": "The conversation in the OpenAI chat format, as JSON.",
    "lineage": "Models, prompt hashes, call ids, tokens and cost, as JSON.",
}


def croissant(recipe: Recipe, run_dir: Path, hashes: Mapping[Path, str]) -> Json:
    """The metadata of a run folder. ``hashes`` maps each dataset file to its SHA-256."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": recipe.name,
        "description": f"Synthetic data made by synth from the recipe {recipe.name}.",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path.name,
                "name": path.name,
                "contentUrl": str(path.relative_to(run_dir)),
                "encodingFormat": "application/jsonlines",
                "sha256": digest,
            }
            for path, digest in hashes.items()
        ],
        "recordSet": [_record_set(path) for path in hashes],
    }


def _record_set(path: Path) -> Json:
    return {
        "@type": "cr:RecordSet",
        "@id": path.stem,
        "name": path.stem,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{path.stem}/{name}",
                "name": name,
                "description": description,
                "dataType": "sc:Text",
                "source": {"fileObject": {"@id": path.name}, "extract": {"jsonPath": f"$.{name}"}},
            }
            for name, description in _FIELDS.items()
        ],
    }
