"""The reference observations as a benchmark of vla-eval, and as data for other clients.

`vla-eval run` loads `GoldenBenchmark` by its import string, as it does with every simulator: an episode
succeeds when each action of the first chunk is the reference's.
"""

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from vla_eval.benchmarks.base import StepBenchmark, StepResult
from vla_eval.specs import IMAGE_RGB, LANGUAGE, RAW, DimSpec

fixtures = Path(os.environ["MERGEVLA_FIXTURES"])
golden = json.loads((fixtures / "golden.json").read_text())


def read_png(path):
    """8-bit RGB, not interlaced, as the fixtures are."""
    data, at, parts = path.read_bytes(), 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            parts.append(body)
        at += 12 + length
    raw = np.frombuffer(zlib.decompress(b"".join(parts)), np.uint8).reshape(height, width * 3 + 1)
    out = np.zeros((height, width * 3), np.int32)
    for y in range(height):
        above = out[y - 1] if y > 0 else np.zeros(width * 3, np.int32)
        line = raw[y, 1:].astype(np.int32)
        for x in range(width * 3):
            a = out[y, x - 3] if x >= 3 else 0
            b = above[x]
            c = above[x - 3] if x >= 3 else 0
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[x] = (line[x] + [0, a, b, (a + b) // 2, near][raw[y, 0]]) & 255
            out[y, x] = line[x]
    return out.astype(np.uint8).reshape(height, width, 3)


def pictures(index):
    folder = fixtures / f"obs/obs{index}"
    return [read_png(folder / f"{camera}_policy.png") for camera in ("full", "wrist")]


def expected(index):
    """The task that the router chooses, and the actions of its policy."""
    chosen = golden["router"][index]["released"]["chosen"]
    for run in golden["runs"]:
        if run["policy"] == f"merged:{chosen}" and run["obs"] == index:
            return chosen, np.array(run["actions"])
    raise KeyError(index)


class GoldenBenchmark(StepBenchmark):
    """One task for each reference observation, which stays what it is while the actions are compared."""

    def __init__(self, send_wrist_image=False, send_state=False):
        # The server asks for both when it greets, as it does of LIBERO.
        super().__init__()
        assert send_wrist_image and send_state

    def get_tasks(self):
        return [
            {"name": o["instruction"], "suite": "golden", "task_id": index}
            for index, o in enumerate(golden["observations"])
        ]

    def reset(self, task):
        self._rows = []
        return task["task_id"]

    def step(self, action):
        self._rows.append(np.asarray(action["actions"]))
        index = self._task["task_id"]
        _, actions = expected(index)
        return StepResult(obs=index, reward=0.0, done=len(self._rows) == len(actions), info={})

    def make_obs(self, raw_obs, task):
        full, wrist = pictures(raw_obs)
        return {
            "images": {"agentview": full, "wrist": wrist},
            "task_description": task["name"],
            "states": np.array(golden["observations"][raw_obs]["state"]),
        }

    def get_step_result(self, step_result):
        _, actions = expected(step_result.obs)
        return {"success": np.allclose(self._rows, actions, atol=1e-4)}

    def get_metadata(self):
        return {"max_steps": 32, "suite": "golden"}

    def get_action_spec(self):
        return {"action": DimSpec("action", 7, RAW.format)}

    def get_observation_spec(self):
        return {"agentview": IMAGE_RGB, "language": LANGUAGE}
