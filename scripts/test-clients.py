"""Drives the policy server with unmodified clients and compares with the reference's actions."""

import asyncio
import sys

import numpy as np
from clients_benchmark import expected, golden, pictures
from openpi_client.action_chunk_broker import ActionChunkBroker
from openpi_client.websocket_client_policy import WebsocketClientPolicy
from vla_eval.connection import Connection

port = int(sys.argv[1])


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
