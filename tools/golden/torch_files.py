"""Makes small files of `torch.save`: every protocol and view that a checkpoint can have, and some that it must not.

usage: torch_files.py OUT_DIR

`views_N.bin` hold the same tensors in pickle protocol N, `legacy_N.bin` in the format before PyTorch 1.6, and `views.json` says what
they are. The other files must be refused.
"""

import io
import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch


def state() -> OrderedDict:
    """Tensors that are views of storages in every way that a state dictionary may hold."""
    grid = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    state = OrderedDict(
        plain=grid,
        transposed=grid.t(),
        rows=grid[1:3],
        columns=grid[:, 1::2],
        column=grid[:, 5],
        permuted=torch.arange(24, dtype=torch.float32).reshape(2, 3, 4).permute(2, 0, 1),
        parameter=torch.nn.Parameter(torch.tensor([1.5, -2.5])),
        number=torch.tensor(3.25),
        empty=torch.zeros(0, 3),
        double=torch.tensor([1.0, 1e-3], dtype=torch.float64),
        half=torch.tensor([1.0, 0.1, 65504.0], dtype=torch.float16),
        bfloat=torch.tensor([1.0, 0.1, 3e38], dtype=torch.bfloat16),
        position_ids=torch.arange(3),
        flags=torch.tensor([True, False]),
    )
    state._metadata = OrderedDict([("", {"version": 1})])
    return state


class Command:
    """What an attack looks like: unpickling it runs a command."""

    def __reduce__(self):
        import os

        return os.system, ("echo pickles run code",)


def legacy(tensors: OrderedDict, protocol: int) -> bytes:
    """A checkpoint in the old format, with the same bytes in every run: its storages, which PyTorch calls by their addresses in
    memory and sorts by them, are numbered in the order in which they are first used."""
    file = io.BytesIO()
    torch.serialization.sorted = list  # in the place of Python's
    torch.save(tensors, file, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    del torch.serialization.sorted
    saved = file.getvalue()
    keys = dict.fromkeys(str(tensor.untyped_storage()._cdata) for tensor in tensors.values())
    for number, key in enumerate(keys):
        saved = saved.replace(key.encode(), str(number).zfill(len(key)).encode())
    return saved


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    tensors = state()
    for protocol in (2, 3, 4, 5):
        torch.save(tensors, out / f"views_{protocol}.bin", pickle_protocol=protocol)
        (out / f"legacy_{protocol}.bin").write_bytes(legacy(tensors, protocol))
    described = {
        name: {"shape": list(tensor.shape), "values": tensor.detach().float().flatten().tolist()}
        for name, tensor in tensors.items() if tensor.is_floating_point()
    }
    (out / "views.json").write_text(json.dumps(described, indent=1) + "\n")

    weight = {"pooler.bias": torch.zeros(2)}
    torch.save(weight | {"x": Command()}, out / "command.bin")
    torch.save(torch.nn.Linear(2, 2), out / "module.bin")
    torch.save([torch.zeros(2)], out / "list.bin")
    torch.save({"pooler.bias": torch.zeros(1).expand(1000)}, out / "expanded.bin")


if __name__ == "__main__":
    main()
