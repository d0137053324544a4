"""Requests that schemathesis makes up from `/openapi.json`, good ones and bad ones: answers are as described.

The environment variable CASES says how many there are at least.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import requests
from service import Service

CASES = int(os.environ.get("CASES", 300))
KEY = "key"
# A fixed one: a failure is the same again.
SEED = int(os.environ.get("SEED", 15))


def test_every_answer_is_as_described(tmp_path):
    models = ["--model", "ag_news", "--model", "owner/news=ag_news"]
    with Service(*models, "--corrections", str(tmp_path / "corrections.csv"), ALBERTINE_API_KEY=KEY) as service:
        description = f"{service.url}openapi.json"
        operations = sum(len(item) for item in requests.get(description).json()["paths"].values())
        # a thousand and more come of the schema itself, whatever is asked for
        examples = max(1, CASES // operations)
        command = [Path(sys.executable).with_name("schemathesis"), "run", description, "--checks", "all"]
        command += ["--header", f"Authorization: Bearer {KEY}", "--seed", str(SEED), "--max-examples", str(examples)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert int(re.search(r"(\d+) generated", done.stdout)[1]) >= CASES
        assert f"Tested: {operations}\n" in done.stdout
        # it goes on
        body = {"inputs": "Oil prices rose on Monday"}
        answer = requests.post(service.url, json=body, headers={"Authorization": f"Bearer {KEY}"})
        assert answer.json()[0]["label"] == "Business"
    assert not any(" ERROR " in line for line in service.log)
