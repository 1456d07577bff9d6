"""Turns a GGUF file into the folder that vLLM loads: bfloat16 safetensors, configuration and tokenizer.

    python convert.py MODEL.gguf FOLDER

Runs in vLLM's virtual environment, with ``gguf`` and ``accelerate`` beside it. The weights stay as good as the
quantised ones were, which is all that tests need.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging


def main() -> None:
    parser = argparse.ArgumentParser(description="Turn a GGUF file into a folder that vLLM loads.")
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    source = {"pretrained_model_name_or_path": str(options.model.parent), "gguf_file": options.model.name}
    quantised = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    # A fresh model, because what was loaded from a GGUF remembers that and would not save as safetensors.
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(**source), dtype=torch.bfloat16)
    model.load_state_dict(quantised.state_dict())
    unfinished = options.folder.with_name(options.folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)
    AutoTokenizer.from_pretrained(**source).save_pretrained(unfinished)
    shutil.rmtree(options.folder, ignore_errors=True)
    os.replace(unfinished, options.folder)


if __name__ == "__main__":
    main()
