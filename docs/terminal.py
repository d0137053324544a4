"""Renders the real output of `albertine classify` as docs/terminal.svg: python docs/terminal.py target/release/albertine

The command runs on a pseudo-terminal, so that it prints what a person sees. Nothing but the standard library is needed.
"""

import fcntl
import html
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

COLUMNS = 92
HEADLINES = [
    "Stocks fell on Wall Street as oil prices rose to a record",
    "Striker scores twice as the champions win the cup final",
    "Probe sends back the first pictures of the comet's surface",
    "Peace talks resume after a week of fighting on the border",
]

CHARACTER, LINE, MARGIN, BAR = 8.4, 20, 18, 30
STYLE = (
    ".frame{fill:#ffffff;stroke:#d0d7de}.bar{fill:#f6f8fa}text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"
    "'DejaVu Sans Mono',monospace;fill:#1f2328;white-space:pre}.bold{font-weight:600}.prompt{fill:#0969da}"
    "@media(prefers-color-scheme:dark){.frame{fill:#0d1117;stroke:#30363d}.bar{fill:#161b22}text{fill:#e6edf3}"
    ".prompt{fill:#58a6ff}}"
)


def output(command: list[str]) -> str:
    """What the command prints on a terminal of COLUMNS columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    printed = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not chunk:
            break
        printed += chunk
    if process.wait() != 0:
        raise SystemExit(printed.decode())
    return printed.decode().replace("\r", "")


def svg(lines: list[str]) -> str:
    """A picture of the lines; bold as the terminal was told, prompts colored."""
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, len(lines) * LINE + BAR + 2 * MARGIN - 6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="Output of albertine classify"><style>{STYLE}</style>',
        f'<rect class="frame" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>',
        f'<path class="bar" d="M1 {BAR}V8a7 7 0 0 1 7-7H{width - 8:.0f}a7 7 0 0 1 7 7V{BAR}z"/>',
    ]
    for index, color in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        parts.append(f'<circle cx="{18 + 18 * index}" cy="15" r="5.5" fill="{color}"/>')
    for row, line in enumerate(lines):
        bold = line.startswith("\x1b[1m")
        text = html.escape(re.sub(r"\x1b\[[0-9;]*m", "", line))
        if text.startswith("$ "):
            text = f'<tspan class="prompt">$</tspan>{text[1:]}'
        y = BAR + MARGIN + row * LINE + 8
        kind = ' class="bold"' if bold else ""
        parts.append(f'<text x="{MARGIN}" y="{y}" xml:space="preserve"{kind}>{text}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def main() -> None:
    """Writes the picture beside this script."""
    binary = sys.argv[1]
    first, *rest = HEADLINES
    shown = [f'$ albertine classify "{first}" \\', *(f'    "{headline}" \\' for headline in rest[:-1]), f'    "{rest[-1]}"']
    printed = output([binary, "classify", *HEADLINES]).splitlines()
    Path(__file__).with_name("terminal.svg").write_text(svg([*shown, *printed]))


if __name__ == "__main__":
    main()
