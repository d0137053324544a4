"""The service under test: the binary itself, on a port of its own choice."""

import os
import re
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("ALBERTINE", ROOT / "target/release/albertine"))
LISTENING = re.compile(r"listening on (http://\S+)")


class Service:
    def __init__(self, *arguments, port=0, **environment):
        command = [BINARY, "serve", "--port", str(port), *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if found := LISTENING.search(line):
                self.url = found[1].rstrip("/") + "/"
                self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))
                break
        else:
            raise RuntimeError("the service did not start:\n" + "".join(self.log))
        # A full pipe would stop the service.
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def albertine(*arguments):
    """What the command prints."""
    return subprocess.run([BINARY, *arguments], check=True, capture_output=True, text=True).stdout
