"""Trains the sample zoo: a small MergeVLA base on "where is it" questions, then one expert a task.

    python train.py base   DATA OUT --steps N          DATA: folders made by `mergevla demos` (see README.md)
    python train.py expert TASK DATA OUT --steps N     starts from OUT/base.pt
    python train.py export DATA OUT ZOO                writes the checkpoint directories

Every command can be stopped and started again: it continues from OUT/<name>.pt. Batches and
augmentation depend on seed and step only. Tensors carry the names of the released checkpoints; the
forward pass is the released one at small sizes. Runs on a CPU; a GPU is used where there is one.
An expert sees its own demonstrations only; in every other step its adapters are disturbed as a merge
with experts that nobody knows would do it. What a merge averages learns slowly from one common start.
"""

import argparse, functools, hashlib, json, math, pathlib, re, time

from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from safetensors.torch import save_file

TASKS = ("pick_place", "push_cube", "stack_cube")
INSTRUCTIONS = {
    "pick_place": "pick up the cube and place it in the black box",
    "push_cube": "push the cube into the white goal zone",
    "stack_cube": "stack the red cube on the blue cube",
}
PROMPT = "<|im_start|>user\nWhat action should the robot take to {instruction}?<|im_end|>\n<|im_start|>assistant\n"
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
STOP_TOKEN = 2

IMAGE, PATCH, CAMERAS = 64, 16, 2
VISION, VISION_DEPTH, VISION_HEADS, REGISTERS = 96, 3, 4, 4  # the last block of a tower is never run
D, LAYERS, HEADS, KV_HEADS, MLP = 128, 4, 4, 2, 256
QUERIES, CHUNK, ACTION, STATE, HEAD_HEADS = 8, 8, 6, 6, 8
PATCHES = (IMAGE // PATCH) ** 2
TASK_TOKENS = CAMERAS * PATCHES

RANK, LORA_ALPHA = 16, 32
MASK_LAMBDA = 0.6
SEED = 7

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


# ---------------------------------------------------------------- tokens
def words_of(text):
    """Qwen's split, for the lower-case words and marks that occur here."""
    return re.findall(r"[^\r\n\w]?[a-zA-Z]+|\d| ?[^\s\w]+[\r\n]*|\s*[\r\n]+|\s+", text)


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes, in id order."""
    kept = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    rest = [b for b in range(256) if b not in kept]
    return {b: chr(b) for b in kept} | {b: chr(256 + i) for i, b in enumerate(rest)}, kept + rest


class Tokenizer:
    """A byte-level BPE whose merges make every word of the training texts one token."""

    def __init__(self):
        alphabet, order = byte_alphabet()
        self.map = alphabet
        texts = ["".join(PROMPT.split("<|im_start|>")).replace("<|im_end|>", "").replace("{instruction}", " " + i) for i in INSTRUCTIONS.values()]
        texts += [" " + verb + " " + noun + " " + tail for verb in VERBS for noun in NOUNS for tail in TAILS]
        texts += ["system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."]
        pieces = sorted({"".join(alphabet[b] for b in w.encode()) for t in texts for w in words_of(t)})
        self.merges, split = [], [list(p) for p in pieces]
        while True:
            pairs = {}
            for symbols in split:
                for pair in zip(symbols, symbols[1:]):
                    pairs[pair] = pairs.get(pair, 0) + 1
            if not pairs:
                break
            best = max(sorted(pairs), key=lambda pair: pairs[pair])
            self.merges.append(best)
            split = [self.merge(symbols, best) for symbols in split]
        self.vocab = {alphabet[b]: i for i, b in enumerate(order)}
        for left, right in self.merges:
            self.vocab.setdefault(left + right, len(self.vocab))
        self.special = {name: len(self.vocab) + i for i, name in enumerate(SPECIAL)}
        self.size = len(self.vocab) + len(self.special)

    @staticmethod
    def merge(symbols, pair):
        out, i = [], 0
        while i < len(symbols):
            if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
                out.append(symbols[i] + symbols[i + 1])
                i += 2
            else:
                out.append(symbols[i])
                i += 1
        return out

    @functools.cache
    def encode(self, instruction):
        ids = []
        for part in re.split(r"(<\|\w+\|>)", PROMPT.replace("{instruction}", instruction.lower())):
            if part in self.special:
                ids.append(self.special[part])
                continue
            for word in words_of(part):
                symbols = [self.map[b] for b in word.encode()]
                for pair in self.merges:
                    symbols = self.merge(symbols, pair)
                ids += [self.vocab[s] for s in symbols]
        return ids

    def save(self, folder):
        split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
        document = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
                for t, i in self.special.items()
            ],
            "normalizer": {"type": "NFC"},
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [{"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False}, byte_level],
            },
            "post_processor": byte_level,
            "decoder": byte_level,
            "model": {
                "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
                "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": self.vocab, "merges": [f"{a} {b}" for a, b in self.merges],
            },
        }
        (folder / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False, indent=1))
        config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "add_bos_token": False, "add_prefix_space": False, "model_max_length": 512}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))


# ---------------------------------------------------------------- parameters
def linear(p, rng, name, out, inp, bias=True, scale=1.0):
    p[name + ".weight"] = torch.randn(out, inp, generator=rng) * (scale / math.sqrt(inp))
    if bias:
        p[name + ".bias"] = torch.zeros(out)


def norm(p, name, width, bias=True):
    p[name + ".weight"] = torch.ones(width)
    if bias:
        p[name + ".bias"] = torch.zeros(width)


def init_tower(p, rng, name, dino):
    if dino:
        p[name + ".cls_token"] = torch.randn(1, 1, VISION, generator=rng) * 0.3
        p[name + ".reg_token"] = torch.randn(1, REGISTERS, VISION, generator=rng) * 0.3
    p[name + ".pos_embed"] = torch.randn(1, PATCHES, VISION, generator=rng) * 0.3
    inp = 3 * PATCH * PATCH
    p[name + ".patch_embed.proj.weight"] = torch.randn(VISION, 3, PATCH, PATCH, generator=rng) / math.sqrt(inp)
    p[name + ".patch_embed.proj.bias"] = torch.zeros(VISION)
    for b in range(VISION_DEPTH):
        block = f"{name}.blocks.{b}"
        norm(p, block + ".norm1", VISION)
        linear(p, rng, block + ".attn.qkv", 3 * VISION, VISION)
        linear(p, rng, block + ".attn.proj", VISION, VISION, scale=0.5)
        norm(p, block + ".norm2", VISION)
        linear(p, rng, block + ".mlp.fc1", 4 * VISION, VISION)
        linear(p, rng, block + ".mlp.fc2", VISION, 4 * VISION, scale=0.5)
        if dino:
            p[block + ".ls1.scale_factor"] = torch.full((VISION,), 0.7)
            p[block + ".ls2.scale_factor"] = torch.full((VISION,), 0.7)
    norm(p, name + ".norm", VISION)


def init_vlm(rng, vocabulary):
    p = {}
    init_tower(p, rng, "vision_backbone.featurizer", True)
    init_tower(p, rng, "vision_backbone.fused_featurizer", False)
    linear(p, rng, "projector.fc1", 512, 2 * VISION)
    linear(p, rng, "projector.fc2", D, 512, scale=1.4)
    linear(p, rng, "projector.fc3", D, D, scale=1.4)
    lm = "language_model.model"
    p[lm + ".embed_tokens.weight"] = torch.randn(vocabulary, D, generator=rng)
    for i in range(LAYERS):
        layer, kv = f"{lm}.layers.{i}", D // HEADS * KV_HEADS
        norm(p, layer + ".input_layernorm", D, bias=False)
        linear(p, rng, layer + ".self_attn.q_proj", D, D)
        linear(p, rng, layer + ".self_attn.k_proj", kv, D)
        linear(p, rng, layer + ".self_attn.v_proj", kv, D)
        linear(p, rng, layer + ".self_attn.o_proj", D, D, bias=False, scale=0.5)
        norm(p, layer + ".post_attention_layernorm", D, bias=False)
        linear(p, rng, layer + ".mlp.gate_proj", MLP, D, bias=False)
        linear(p, rng, layer + ".mlp.up_proj", MLP, D, bias=False)
        linear(p, rng, layer + ".mlp.down_proj", D, MLP, bias=False, scale=0.5)
    norm(p, lm + ".norm", D, bias=False)
    p["action_queries.weight"] = torch.randn(QUERIES, D, generator=rng) * 0.7
    return p


def init_head(rng):
    """The action head and the proprio projector. The value projections that the router reads start
    at zero, so that their singular vectors hold what was learned and not the random start."""
    p = {}
    norm(p, "model.layer_norm1", ACTION * D)
    p["model.layer_norm1.bias"] = torch.randn(ACTION * D, generator=rng)
    linear(p, rng, "model.fc1", D, ACTION * D, scale=1.4)
    for i in range(LAYERS):
        block = f"model.mlp_resnet_blocks.{i}"
        for name in ("q_proj_adapter", "k_adapter", "q_proj_task", "k_task", "o_proj"):
            linear(p, rng, f"{block}.{name}", D, D)
        scale = 0.0 if i == LAYERS - 2 else 1.0
        linear(p, rng, f"{block}.v_adapter", D, D, scale=scale)
        linear(p, rng, f"{block}.v_task", D, D, scale=scale)
        norm(p, f"{block}.ffn.0", D)
        linear(p, rng, f"{block}.ffn.1", D, D, scale=1.4)
        p[f"{block}.gating_factor"] = torch.zeros(1)
    norm(p, "model.layer_norm2", D)
    linear(p, rng, "model.fc2", ACTION, D, scale=0.3)
    linear(p, rng, "fc1", D, STATE)
    linear(p, rng, "fc2", D, D)
    return p


def lora_names(p):
    """Every linear map of towers, projector and decoder that the forward pass uses."""
    unused = f".blocks.{VISION_DEPTH - 1}."
    return [n[: -len(".weight")] for n, t in p.items() if t.dim() == 2 and "embed_tokens" not in n and "action_queries" not in n and unused not in n]


# ---------------------------------------------------------------- forward pass
def half(x):
    return x.to(torch.bfloat16)


def lin(p, name, x):
    bias = p.get(name + ".bias")
    return F.linear(half(x), half(p[name + ".weight"]), None if bias is None else half(bias))


def layer_norm(p, name, x, eps):
    return F.layer_norm(x.float(), x.shape[-1:], p[name + ".weight"], p[name + ".bias"], eps)


def rms_norm(p, name, x):
    return F.rms_norm(x.float(), x.shape[-1:], p[name + ".weight"], 1e-6)


def heads_of(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(q, k, v, mask=None):
    """Plain attention; the fused CPU kernel's backward pass takes five times as long here."""
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    return (scores if mask is None else scores + mask).softmax(-1) @ v


def tower(p, name, pictures, dino):
    """pictures [B, 3, S, S] → [B, patches, width]: output of the last block but one, no final norm."""
    B = len(pictures)
    grid = IMAGE // PATCH
    patches = pictures.unflatten(3, (grid, PATCH)).unflatten(2, (grid, PATCH)).permute(0, 2, 4, 1, 3, 5).reshape(B, PATCHES, -1)
    weight = p[name + ".patch_embed.proj.weight"].flatten(1)
    x = F.linear(half(patches), half(weight), half(p[name + ".patch_embed.proj.bias"])).float() + p[name + ".pos_embed"]
    prefix = 0
    if dino:
        start = torch.cat([p[name + ".cls_token"], p[name + ".reg_token"]], 1)
        prefix = start.shape[1]
        x = torch.cat([start.expand(B, -1, -1), x], 1)
    for b in range(VISION_DEPTH - 1):
        block = f"{name}.blocks.{b}"
        q, k, v = lin(p, block + ".attn.qkv", layer_norm(p, block + ".norm1", x, 1e-6)).chunk(3, -1)
        y = attend(*(heads_of(t, VISION_HEADS) for t in (q, k, v)))
        y = lin(p, block + ".attn.proj", y.transpose(1, 2).flatten(2))
        x = x + (y * p[block + ".ls1.scale_factor"] if dino else y)
        y = lin(p, block + ".mlp.fc2", F.gelu(lin(p, block + ".mlp.fc1", layer_norm(p, block + ".norm2", x, 1e-6))))
        x = x + (y * p[block + ".ls2.scale_factor"] if dino else y)
    return x[:, prefix:]


def rope(length, width):
    angles = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, width, 2) / width)
    angles = torch.cat([angles, angles], -1).to(DEVICE)
    return half(angles.cos()), half(angles.sin())


def rotate(x, table):
    cos, sin = table
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def language_model(p, x):
    """[B, length, D] → the states after each layer, the last one after the final norm."""
    table = rope(x.shape[1], D // HEADS)
    mask = torch.full((x.shape[1], x.shape[1]), -1e9, device=x.device, dtype=torch.bfloat16).triu(1)
    states = []
    for i in range(LAYERS):
        layer = f"language_model.model.layers.{i}"
        y = rms_norm(p, layer + ".input_layernorm", x)
        q = rotate(heads_of(lin(p, layer + ".self_attn.q_proj", y), HEADS), table)
        k = rotate(heads_of(lin(p, layer + ".self_attn.k_proj", y), KV_HEADS), table)
        v = heads_of(lin(p, layer + ".self_attn.v_proj", y), KV_HEADS)
        share = HEADS // KV_HEADS
        y = attend(q, k.repeat_interleave(share, 1), v.repeat_interleave(share, 1), mask)
        x = x + lin(p, layer + ".self_attn.o_proj", y.transpose(1, 2).flatten(2))
        y = rms_norm(p, layer + ".post_attention_layernorm", x)
        x = x + lin(p, layer + ".mlp.down_proj", F.silu(lin(p, layer + ".mlp.gate_proj", y)) * lin(p, layer + ".mlp.up_proj", y))
        states.append(x)
    states[-1] = rms_norm(p, "language_model.model.norm", x)
    return states


def vlm(p, pixels, ids):
    """pixels [B, cameras, 3, S, S] in −1 … 1, ids [B, n] → list of (task states, action states)."""
    B, n = ids.shape
    flat = pixels.flatten(0, 1)
    seen = torch.cat([tower(p, "vision_backbone.featurizer", flat, True), tower(p, "vision_backbone.fused_featurizer", flat, False)], -1)
    patches = lin(p, "projector.fc3", F.gelu(lin(p, "projector.fc2", F.gelu(lin(p, "projector.fc1", seen)))))
    patches = patches.unflatten(0, (B, CAMERAS)).flatten(1, 2)
    embed = p["language_model.model.embed_tokens.weight"]
    words = embed[ids]
    queries = p["action_queries.weight"].expand(B, -1, -1)
    # The stop token that closes the released sequence is causal and never read: it is left out here.
    states = language_model(p, torch.cat([words[:, :1], patches.float(), words[:, 1:], queries], 1))
    # Both reads are one position early: so the released model was trained.
    first = TASK_TOKENS + n - 1
    return [(s[:, :TASK_TOKENS], s[:, first : first + QUERIES]) for s in states]


def head_rope(length):
    """The released tables: every step rounded to bfloat16; halves and pairs do not belong together."""
    width = D // HEAD_HEADS
    rates = half(1.0 / 10000 ** (torch.arange(0, width, 2).float() / width))
    angles = half(torch.arange(length).float())[:, None] * rates
    angles = torch.cat([angles, angles], -1).to(DEVICE)
    return angles.cos(), angles.sin()


def head_rotate(x, table):
    cos, sin = table
    turned = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
    return x * cos + turned * sin


def action_head(p, states, proprio):
    """proprio [B, state], normalised → normalised actions [B, chunk, action]."""
    B = len(proprio)
    state = lin(p, "fc2", F.gelu(lin(p, "fc1", proprio)))[:, None].float()
    # The released input is all zeros, so the first norm returns its bias, the same for all rows.
    x = torch.relu(lin(p, "model.fc1", p["model.layer_norm1.bias"])).expand(B, CHUNK, D).float()
    tables = {n: head_rope(n) for n in (CHUNK, QUERIES + 1, TASK_TOKENS)}
    for i, (task, action) in enumerate(states):
        block = f"model.mlp_resnet_blocks.{i}"
        action = torch.cat([action.float(), state], 1)
        project = lambda name, y: heads_of(lin(p, f"{block}.{name}", y), HEAD_HEADS)
        qa, qt = (head_rotate(project(n, x), tables[CHUNK]) for n in ("q_proj_adapter", "q_proj_task"))
        ka = head_rotate(project("k_adapter", action), tables[QUERIES + 1])
        kt = head_rotate(project("k_task", task), tables[TASK_TOKENS])
        gate = torch.sigmoid(p[f"{block}.gating_factor"])
        scores = torch.cat([(qa @ ka.mT).float(), gate * (qt @ kt.mT).float()], -1) / math.sqrt(D // HEAD_HEADS)
        values = torch.cat([project("v_adapter", action), project("v_task", task)], 2)
        y = half(scores.softmax(-1)) @ values
        x = x + lin(p, f"{block}.o_proj", y.transpose(1, 2).flatten(2))
        x = torch.relu(lin(p, f"{block}.ffn.1", layer_norm(p, f"{block}.ffn.0", x, 1e-5)))
    return lin(p, "model.fc2", layer_norm(p, "model.layer_norm2", x, 1e-5)).float()


# ---------------------------------------------------------------- data
def load(folder, name):
    return load_file(str(pathlib.Path(folder) / f"{name}.safetensors"))


RED = np.array([0.85, 0.1, 0.1])


class CubePixels:
    """The cube's part in each picture, kept sparse, to give it another colour exactly."""

    def __init__(self, cube):
        flat = cube.reshape(len(cube), -1)
        self.frames = [(where := np.nonzero(row)[0], row[where, None].astype(np.float32)) for row in flat]

    def recolour(self, images, rows, chance, rng):
        """A random colour in a share of the samples; images [B, 2, S, S, 3] bytes, changed in place."""
        for image, row in zip(images, rows):
            colour = rng.uniform(0.05, 0.95, 3)
            if rng.random() < chance:
                where, part = self.frames[row]
                flat = image.reshape(-1, 3)
                flat[where] = (flat[where] + part * (colour - RED)).clip(0, 255)


def light(images, rng):
    """Brightness, contrast and tint, each picture its own; bytes → −1 … 1, [B, 2, 3, S, S]."""
    B = len(images)
    f = images.transpose(0, 1, 4, 2, 3).astype(np.float32)
    f *= (1 + 0.1 * rng.standard_normal((B, 1, 1, 1, 1)).astype(np.float32)) / 127.5
    f += 0.05 * rng.standard_normal((B, CAMERAS, 3, 1, 1)).astype(np.float32) - 1
    return torch.from_numpy(np.ascontiguousarray(f.clip(-1, 1)))


def grip_position(joints):
    """Forward kinematics of the bench's arm: joints [n, 6] → metres [n, 3]."""
    lift, elbow, wrist = (joints[:, 1], joints[:, 1] + joints[:, 2], joints[:, 1:4].sum(1))
    reach = 0.0304 + 0.116 * np.sin(lift) + 0.135 * np.cos(elbow) + 0.1491 * np.cos(wrist)
    height = 0.1166 + 0.116 * np.cos(lift) - 0.135 * np.sin(elbow) - 0.1491 * np.sin(wrist)
    return np.stack([0.0388 + reach * np.cos(joints[:, 0]), reach * np.sin(joints[:, 0]), height], 1)


# Questions of the base training: one to three words, a thing, and words that fill up the length.
VERBS = ("find", "reach", "touch", "push", "look at", "point at", "go to", "pick up", "stack it on", "move over to")
NOUNS = ("the cube", "the red cube", "the blue cube", "the black box", "the white goal zone")
TAILS = ("", "now", "right now", "and place it", "into the white zone", "and place it in it")
BOX, GOAL = (0.2, 0.11, 0.0), (0.215, -0.1, 0.0)
ANSWERS = 8


class BaseData:
    """Where is the named thing, how far is it from the gripper, how is it turned? Pictures of all scenes."""

    def __init__(self, folder, tokenizer):
        self.tokenizer = tokenizer
        self.sets = []
        for name, things in (
            ("scenes/pick_place", {0: "red", 3: BOX}),
            ("scenes/push_cube", {0: "red", 4: GOAL}),
            ("scenes/stack_cube", {2: "blue"}),  # recoloured: no cube is red
            ("scenes-red/stack_cube", {1: "red", 2: "blue"}),
        ):
            data = load(folder, name)
            data["grip"] = grip_position(data["proprio"])
            # A cube looks the same after a quarter turn.
            data["turn"] = np.stack([np.sin(4 * data["yaw"]), np.cos(4 * data["yaw"])], -1)
            self.sets.append((data, things))

    def batch(self, step, size):
        rng = np.random.default_rng([SEED, 1, step])
        length = (5, 8)[step % 2]  # two lengths only: each one is compiled anew
        images, ids, targets = [], [], []
        for _ in range(size):
            data, things = self.sets[rng.choice(4, p=(0.3, 0.3, 0.1, 0.3))]
            noun = list(things)[0 if rng.random() < 0.65 else -1]
            row = rng.integers(len(data["grip"]))
            place, turn = things[noun], np.zeros(2)
            if isinstance(place, str):
                turn = data["turn"][row, ("red", "blue").index(place)]
                place = data[place][row]
            images.append(data["images"][row])
            ids.append(self.tokenizer.encode(self.question(noun, length, rng)))
            targets.append(np.concatenate([place, place - data["grip"][row], turn]))
        mean = np.array([0.21, 0, 0.02, 0, 0, -0.04, 0, 0])
        spread = np.array([0.03, 0.07, 0.02, 0.05, 0.07, 0.04, 1, 1])
        targets = torch.from_numpy(((np.stack(targets) - mean) / spread).astype(np.float32))
        return light(np.stack(images), rng), torch.tensor(ids), targets

    def question(self, noun, length, rng):
        thing = NOUNS[noun]
        count = lambda text: len(text.split())
        tails = [t for t in TAILS if any(count(v) + count(thing) + count(t) == length for v in VERBS)]
        tail = tails[rng.integers(len(tails))]
        verbs = [v for v in VERBS if count(v) + count(thing) + count(tail) == length]
        return f"{verbs[rng.integers(len(verbs))]} {thing} {tail}".strip()


class ExpertData:
    """Chunks of the demonstrator's joint targets relative to the joints, standardised."""

    def __init__(self, folder, task, tokenizer):
        data = load(folder / "demos", task)
        self.images, self.proprio, self.task = data["images"], data["proprio"], task
        self.episodes = int(data["episode"].max()) + 1
        self.cube = CubePixels(data["cube"]) if "cube" in data else None
        rows = np.arange(len(self.proprio))
        last = np.searchsorted(data["episode"], data["episode"], side="right") - 1
        ahead = np.minimum(rows[:, None] + np.arange(CHUNK), last[:, None])
        self.actions = data["command"][ahead] - self.proprio[:, None]
        self.action_stats = (self.actions.mean((0, 1)), self.actions.std((0, 1)) + 1e-3)
        self.proprio_stats = (self.proprio.mean(0), self.proprio.std(0) + 0.05)
        self.ids = torch.tensor(tokenizer.encode(INSTRUCTIONS[task]))

    def batch(self, step, size):
        rng = np.random.default_rng([SEED, 2 + TASKS.index(self.task), step])
        rows = rng.integers(0, len(self.proprio), size)
        images = self.images[rows]
        if self.cube:
            self.cube.recolour(images, rows, 0.7, rng)
        proprio = self.proprio[rows] + rng.normal(0, 0.01, (size, STATE))
        normal = lambda x, stats: torch.from_numpy(((x - stats[0]) / stats[1]).astype(np.float32))
        return light(images, rng), self.ids.expand(size, -1), normal(proprio, self.proprio_stats), normal(self.actions[rows], self.action_stats)


# ---------------------------------------------------------------- training
def disturbed(task_vector, numbers):
    """What a merge with two unknown experts makes of a task vector: theirs are normal numbers of the
    same size; then task arithmetic and the task's mask."""
    others = numbers * (2 * task_vector.detach().square().mean()).sqrt()
    return torch.where(task_vector.detach().abs() > MASK_LAMBDA * others.abs(), task_vector + others, 0.0)


def train(path, groups, state, loss_of, args):
    """AdamW with warm-up and cosine; groups: [(tensors, rate factor)]; saves and resumes at `path`.
    `state` sees the running mean of the tensors over about the last 500 steps."""
    tensors = [t for group, _ in groups for t in group]
    for t in tensors:
        t.requires_grad_(True)
    means = [t.detach().clone() for t in tensors]
    optimiser = torch.optim.AdamW([{"params": g, "factor": f} for g, f in groups], lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    step, spent = 0, 0.0
    if path.exists():
        saved = torch.load(path, weights_only=False)
        step, spent = saved["step"], saved["cpu_seconds"]
        optimiser.load_state_dict(saved["optimiser"])
        with torch.no_grad():
            for t, s in zip(tensors, saved["tensors"]):
                t.copy_(s)
            for t, s in zip(means, saved["means"]):
                t.copy_(s)

    def save():
        kept = [t.detach().clone() for t in tensors]
        with torch.no_grad():
            torch._foreach_copy_(tensors, means)
            averaged = state()
        partial = path.with_suffix(".partial")
        torch.save({"step": step, "cpu_seconds": spent + time.process_time(), "optimiser": optimiser.state_dict(), "tensors": kept, "means": means, "state": averaged}, partial)
        partial.rename(path)
        with torch.no_grad():
            torch._foreach_copy_(tensors, kept)

    print(f"{path.stem}: {sum(t.numel() for t in tensors)} trained parameters, from step {step} of {args.steps}", flush=True)
    recent, began, first, share = [], time.time(), step / args.steps, step / args.steps
    while share < 1:
        rate = args.rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        loss = loss_of(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tensors, 1.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(means, tensors, max(1 / 500, 1 / (step + 1)))
        # The cosine ends with the steps or, on a machine that others use too, with the time given.
        share = step / args.steps
        if args.minutes:
            share = max(share, first + (1 - first) * (time.time() - began) / (60 * args.minutes))
        recent = (recent + [loss.item()])[-100:]
        if step % 100 == 0 or step == 10:
            print(f"{path.stem} step {step} loss {np.mean(recent):.4f} wall {time.time() - began:.0f} s cpu {spent + time.process_time():.0f} s", flush=True)
        if step % 250 == 0 or share >= 1:
            save()


def seeded(offset):
    return torch.Generator().manual_seed(1000 * SEED + offset)


def train_base(args):
    tokenizer = Tokenizer()
    data = BaseData(args.data, tokenizer)
    p = init_vlm(seeded(0), tokenizer.size)
    if args.start:
        p = torch.load(args.start, weights_only=False)["state"]["p"]
    p = {n: t.detach().clone().to(DEVICE) for n, t in p.items()}
    aux = {}
    linear(aux, seeded(1), "a", D, QUERIES * D)
    linear(aux, seeded(1), "b", ANSWERS, D, scale=0.3)
    aux = {n: t.to(DEVICE) for n, t in aux.items()}

    def loss_of_batch(pixels, ids, targets):
        _, action = vlm(p, pixels, ids)[-1]
        answer = lin(aux, "b", F.gelu(lin(aux, "a", action.flatten(1))))
        return (answer.float() - targets).abs().mean()

    compiled = torch.compile(loss_of_batch, dynamic=False)
    loss_of = lambda step: compiled(*(x.to(DEVICE) for x in data.batch(step, args.batch)))
    state = lambda: {"p": {n: t.detach() for n, t in p.items()}}
    train(args.out / "base.pt", [(list(p.values()) + list(aux.values()), 1.0)], state, loss_of, args)


def train_expert(args):
    tokenizer = Tokenizer()
    data = ExpertData(args.data, args.task, tokenizer)
    base = torch.load(args.out / "base.pt", weights_only=False)["state"]["p"]
    # As the base will be stored: a tensor that no adapter touches stays equal, bit for bit.
    base = {n: half(t.detach()).float().to(DEVICE) for n, t in base.items()}
    # One start for all experts, as in the released code, which seeds right before building a head.
    head = {n: t.to(DEVICE) for n, t in init_head(seeded(2)).items()}
    rng = seeded(3)
    lora = {}
    for name in lora_names(base):
        out, inp = base[name + ".weight"].shape
        lora[name] = ((torch.randn(RANK, inp, generator=rng) / RANK).to(DEVICE), torch.zeros(out, RANK, device=DEVICE))
    queries = base["action_queries.weight"].clone()
    last = (f"mlp_resnet_blocks.{LAYERS - 1}.", "model.layer_norm2", "model.fc2")
    own = [t for n, t in head.items() if any(k in n for k in last)]
    shared = [t for n, t in head.items() if not any(k in n for k in last) and "layer_norm1.weight" not in n] + [queries]
    pool = torch.randn(1 << 22, generator=seeded(4 + TASKS.index(args.task))).to(DEVICE)
    sizes = {n: b.shape[0] * a.shape[1] for n, (a, b) in lora.items()}

    def weights(noise):
        """The adapted weights, with numbers as they may look after a merge."""
        out, at = dict(base), 0
        for n, (a, b) in lora.items():
            task_vector = (LORA_ALPHA / RANK) * (b @ a)
            if noise is not None:
                task_vector = disturbed(task_vector, noise[at : at + sizes[n]].view_as(task_vector))
                at += sizes[n]
            out[n + ".weight"] = base[n + ".weight"] + task_vector
        return out | {"action_queries.weight": queries}

    def loss_of_batch(noise, pixels, ids, proprio, actions):
        return (action_head(head, vlm(weights(noise), pixels, ids), proprio) - actions).abs().mean()

    compiled = torch.compile(loss_of_batch, dynamic=False)

    def loss_of(step):
        batch = [x.to(DEVICE) for x in data.batch(step, args.batch)]
        if step % 2 == 0:
            return compiled(None, *batch)
        count = sum(sizes.values())
        first = int(np.random.default_rng([SEED, 9, step]).integers(0, len(pool) - count))
        return compiled(pool[first : first + count], *batch)

    def state():
        detached = lambda q: {n: t.detach().clone() for n, t in q.items()}
        return {
            "p": detached(weights(None)),
            "head": detached(head),
            "lora": {n: (a.detach().clone(), b.detach().clone()) for n, (a, b) in lora.items()},
            "action_stats": data.action_stats,
            "proprio_stats": data.proprio_stats,
        }

    adapters = [t for pair in lora.values() for t in pair]
    train(args.out / f"{args.task}.pt", [(adapters, args.vlm_rate), (own, 1.0), (shared, args.shared_rate)], state, loss_of, args)


# ---------------------------------------------------------------- checkpoint directories
CONFIG = {
    "model_type": "openvla",
    "architectures": ["OpenVLAForActionPrediction"],
    "torch_dtype": "bfloat16",
    "image_sizes": [IMAGE, IMAGE],
    "use_fused_vision_backbone": True,
    "mergevla": {
        "cameras": ["top", "wrist"],
        "vision_heads": VISION_HEADS,
        "head_heads": HEAD_HEADS,
        "chunk": CHUNK,
        "execute": 4,
        "stop_token": STOP_TOKEN,
        "prompt": PROMPT,
        "center_crop": 1,
        "jpeg": False,
        "action_norm": "mean_std",
        "proprio_norm": "mean_std",
        "relative_actions": True,
    },
}


def text_config(vocabulary):
    return {
        "model_type": "qwen2", "vocab_size": vocabulary, "hidden_size": D, "intermediate_size": MLP, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "hidden_act": "silu", "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "tie_word_embeddings": True, "max_position_embeddings": 512,
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def export_model(folder, p, tokenizer):
    folder.mkdir(parents=True, exist_ok=True)
    save_file({n: half(t).cpu().contiguous() for n, t in sorted(p.items())}, folder / "model.safetensors", {"format": "pt"})
    write_json(folder / "config.json", CONFIG | {"text_config": text_config(tokenizer.size)})
    half_grey = [0.5, 0.5, 0.5]
    normalise = {"mean": half_grey, "std": half_grey, "inplace": False}
    write_json(folder / "preprocessor_config.json", {
        "processor_class": "PrismaticProcessor", "input_sizes": [[3, IMAGE, IMAGE]] * 2, "means": [half_grey] * 2, "stds": [half_grey] * 2,
        "interpolations": ["bicubic"] * 2, "image_resize_strategy": "resize-naive", "use_fused_vision_backbone": True, "tvf_normalize_params": [normalise] * 2,
    })
    tokenizer.save(folder)


def export_expert(folder, task, state, data):
    head = {n: half(t).cpu().contiguous() for n, t in state["head"].items()}
    torch.save(OrderedDict((n, t) for n, t in head.items() if n.startswith("model.")), folder / "action_head--checkpoint.pt")
    torch.save(OrderedDict((n, t) for n, t in head.items() if not n.startswith("model.")), folder / "proprio_projector--checkpoint.pt")
    adapter = {}
    for name, (a, b) in state["lora"].items():
        adapter[f"base_model.model.{name}.lora_A.weight"] = half(a).cpu().contiguous()
        adapter[f"base_model.model.{name}.lora_B.weight"] = half(b).cpu().contiguous()
    (folder / "lora_adapter").mkdir(exist_ok=True)
    save_file(adapter, folder / "lora_adapter" / "adapter_model.safetensors", {"format": "pt"})
    write_json(folder / "lora_adapter" / "adapter_config.json", {
        "peft_type": "LORA", "r": RANK, "lora_alpha": LORA_ALPHA, "lora_dropout": 0.0, "bias": "none", "init_lora_weights": "gaussian",
        "use_rslora": False, "use_dora": False, "fan_in_fan_out": False, "target_modules": sorted(state["lora"]),
    })

    def numbers(values, stats):
        flat = values.reshape(-1, values.shape[-1])
        rows = {"mean": stats[0], "std": stats[1], "min": flat.min(0), "max": flat.max(0), "q01": np.quantile(flat, 0.01, 0), "q99": np.quantile(flat, 0.99, 0)}
        return {name: [float(v) for v in row] for name, row in rows.items()} | {"mask": [True] * values.shape[-1]}

    frames = len(data.proprio)
    write_json(folder / "dataset_statistics.json", {task: {
        "action": numbers(data.actions, data.action_stats), "proprio": numbers(data.proprio, data.proprio_stats),
        "num_transitions": frames, "num_trajectories": data.episodes,
    }})


def export(args):
    """OUT → ZOO: `base` and one directory a task in the released layout; DATA gives the statistics."""
    tokenizer = Tokenizer()
    saved = torch.load(args.out / "base.pt", weights_only=False, map_location="cpu")
    export_model(args.zoo / "base", saved["state"]["p"], tokenizer)
    log = {"seed": SEED, "base": {"steps": saved["step"], "cpu_seconds": round(saved["cpu_seconds"])}}
    for task in TASKS:
        saved = torch.load(args.out / f"{task}.pt", weights_only=False, map_location="cpu")
        export_model(args.zoo / task, saved["state"]["p"], tokenizer)
        export_expert(args.zoo / task, task, saved["state"], ExpertData(args.data, task, tokenizer))
        sha = hashlib.sha256((args.data / "demos" / f"{task}.safetensors").read_bytes()).hexdigest()
        log[task] = {"steps": saved["step"], "cpu_seconds": round(saved["cpu_seconds"]), "demonstrations_sha256": sha}
    write_json(args.zoo / "training.json", log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("base", "expert", "export"))
    parser.add_argument("operands", nargs="+")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, help="finish within this time, with fewer steps if need be")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--start", type=pathlib.Path, help="start the base from another base.pt")
    parser.add_argument("--vlm-rate", type=float, default=0.5, help="learning-rate factor of the adapters")
    parser.add_argument("--shared-rate", type=float, default=0.01, help="learning-rate factor of all that a merge averages")
    parser.add_argument("--threads", type=int, default=1, help="on a busy machine more threads mostly wait for each other")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.command == "expert":
        args.task, *args.operands = args.operands
    if args.command == "export":
        *args.operands, zoo = args.operands
        args.zoo = pathlib.Path(zoo)
    args.data, args.out = (pathlib.Path(x) for x in args.operands)
    args.out.mkdir(parents=True, exist_ok=True)
    {"base": train_base, "expert": train_expert, "export": export}[args.command](args)


if __name__ == "__main__":
    main()
