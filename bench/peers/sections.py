"""What is measured: which engines meet, in which precision, with which instructions."""

from dataclasses import dataclass, field

NAMES = {
    "torch": "PyTorch f32",
    "torch-bf16": "PyTorch bf16",
    "ort": "ONNX Runtime f32",
    "ov-f32": "OpenVINO f32",
    "ov-bf16": "OpenVINO bf16",
    "ov-int8-bf16": "OpenVINO int8 + bf16",
}
# Their f32 matrix products are MLAS's, which asks the CPU itself and has no switch; the rest of OpenVINO obeys.
NOT_HELD = {"ort": "not held", "ov-f32": "products not held"}
F32 = ("torch", "ort", "ov-f32")
BF16 = ("torch-bf16", "ov-bf16")
INT8 = ("ov-int8-bf16",)


@dataclass(frozen=True)
class Section:
    """Rivals by our precision, and the variables that hold both sides to certain instructions."""

    rivals: dict[str, tuple[str, ...]]
    ours_held: dict[str, str] = field(default_factory=dict)
    rivals_held: dict[str, str] = field(default_factory=dict)
    lone: bool = False


def held(onednn: str, aten: str, mkl: str) -> dict[str, str]:
    """OpenVINO and PyTorch bring a oneDNN each; PyTorch has code of its own and MKL beside it."""
    return {"ONEDNN_MAX_CPU_ISA": onednn, "ATEN_CPU_CAPABILITY": aten, "MKL_ENABLE_INSTRUCTIONS": mkl}


AVX2 = held("AVX2", "avx2", "AVX2")
# Everything but AMX and fp16.
AVX512 = held("AVX512_CORE_BF16", "avx512", "AVX512_E3")

SECTIONS = {
    "f32": Section({"f32": F32}),
    "onnx": Section({"f32": ("ort",)}),
    "bf16": Section({"bf16": BF16}),
    "int8": Section({"int8": INT8}),
    "latency": Section({"f32": F32, "bf16": BF16, "int8": INT8}, lone=True),
    "avx512": Section({"f32": F32, "bf16": BF16, "int8": INT8}, {"ALBERTINE_CPU": "avx512_bf16"}, AVX512),
    "avx512-latency": Section({"bf16": BF16, "int8": INT8}, {"ALBERTINE_CPU": "avx512_bf16"}, AVX512, lone=True),
    "avx2": Section({"f32": F32}, {"ALBERTINE_CPU": "avx2"}, AVX2),
}
