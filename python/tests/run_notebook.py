"""Executes a notebook from its first cell to its last, in a folder that it finds its files in, and fails where a cell
fails.

usage: run_notebook.py NOTEBOOK FOLDER
"""

from __future__ import annotations

import sys

import nbformat
from nbclient import NotebookClient


def main(path: str, folder: str) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    pictures = sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs)
    print(f"{path}: {len(cells)} cells run, {pictures} pictures")
    if not pictures:
        sys.exit(f"{path} draws no picture")


if __name__ == "__main__":
    main(*sys.argv[1:])
