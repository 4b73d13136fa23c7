"""Drives the policy server with unmodified clients and compares with the reference's actions."""

import asyncio
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from openpi_client.action_chunk_broker import ActionChunkBroker
from openpi_client.websocket_client_policy import WebsocketClientPolicy
from vla_eval.connection import Connection

port, fixtures = int(sys.argv[1]), Path(sys.argv[2])
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
    chosen = golden["router"][index]["released"]["chosen"]
    for run in golden["runs"]:
        if run["policy"] == f"merged:{chosen}" and run["obs"] == index:
            return chosen, np.array(run["actions"])
    raise KeyError(index)


def openpi_observation(index):
    full, wrist = pictures(index)
    return {
        "observation/image": full,
        "observation/wrist_image": wrist,
        "observation/state": np.array(golden["observations"][index]["state"]),
        "prompt": golden["observations"][index]["instruction"],
    }


def test_openpi():
    policy = WebsocketClientPolicy("127.0.0.1", port)
    metadata = policy.get_server_metadata()
    assert metadata["action_horizon"] == 8, metadata
    for index in range(3):
        chosen, actions = expected(index)
        answer = policy.infer(openpi_observation(index))
        assert answer["router"]["task"] == chosen, answer["router"]
        np.testing.assert_allclose(answer["actions"], actions, atol=1e-4)
        assert answer["actions"].dtype == np.float32
    broker = ActionChunkBroker(WebsocketClientPolicy("127.0.0.1", port), action_horizon=8)
    rows = [broker.infer(openpi_observation(0))["actions"] for _ in range(8)]
    np.testing.assert_allclose(rows, expected(0)[1], atol=1e-4)
    try:
        policy.infer({"prompt": "nothing to see"})
    except RuntimeError as error:
        assert "there is no picture" in str(error), error
    else:
        raise AssertionError("a bad observation was answered")


async def test_vla_eval():
    async with Connection(f"ws://127.0.0.1:{port}") as connection:
        assert connection.server_info["protocol_version"] == 1
        for index in range(2):
            task = {"name": "task", "suite": "libero", "task_id": index, "episode_idx": 0}
            await connection.start_episode({"task": task})
            full, wrist = pictures(index)
            rows = []
            for _ in range(8):
                observation = {
                    "images": {"agentview": full, "wrist": wrist},
                    "task_description": golden["observations"][index]["instruction"],
                    "states": np.array(golden["observations"][index]["state"]),
                }
                rows.append((await connection.act(observation))["actions"])
            np.testing.assert_allclose(rows, expected(index)[1], atol=1e-4)
            await connection.end_episode({"metrics": {"success": True}, "steps": 8})


test_openpi()
print("ok: openpi-client")
asyncio.run(test_vla_eval())
print("ok: vla-eval")
