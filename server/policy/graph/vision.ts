import type { PolicyConfig } from '../config';
import type { TowerShape } from '../shape';
import type { Net } from './layers';
import { add, gelu, layerNorm, linear, matmul, multiply, softmax } from './layers';

const epsilon = 1e-6;

/**
 * Pixels [1, 6C, S, S] (3 channels a tower and camera) to projected patches [C·P, width of the
 * language model] (reference: policy forward §4).
 */
export function visionGraph(net: Net, pixels: string, config: PolicyConfig): string {
  const { graph } = net;
  const cameras = config.cameras.length;
  const { towers, patches } = config.shape;
  const size = config.imageSize;
  const stacked = graph.reshape(pixels, cameras, 3 * towers.length, size, size);
  const features = towers.map((tower, index) => {
    const own = graph.slice(stacked, 1, 3 * index, 3 * index + 3);
    const value = towerGraph(net, own, tower, cameras);
    net.tap(`vision.${tower.name}`, value);
    return value;
  });
  const width = towers.reduce((sum, tower) => sum + tower.width, 0);
  const rows = graph.reshape(graph.concat(features, 2), cameras * patches, width);
  net.tap('vision.features', rows);
  const projected = projector(net, rows);
  net.tap('projector', projected);
  return projected;
}

function projector(net: Net, rows: string): string {
  const hidden = gelu(net, linear(net, rows, 'projector.fc1'));
  const second = linear(net, hidden, 'projector.fc2');
  if (!net.weights.has('projector.fc3.weight')) return second;
  return linear(net, gelu(net, second), 'projector.fc3');
}

/** One tower over all pictures at once: [C, 3, S, S] to [C, P, width] after the last block but one. */
function towerGraph(net: Net, pixels: string, tower: TowerShape, cameras: number): string {
  const { graph } = net;
  const patches = tower.grid ** 2;
  let x = patchEmbedding(net, pixels, tower, cameras);
  net.tap(`vision.${tower.name}.patch_embed`, x);
  x = add(net, x, net.weights.weight(`${tower.prefix}pos_embed`));
  const prefix = prefixTokens(net, tower, cameras);
  if (prefix) x = graph.concat([prefix, x], 1);
  net.tap(`vision.${tower.name}.tokens`, x);
  const leading = (tower.classToken ? 1 : 0) + tower.registers;
  for (let index = 0; index < tower.blocks - 1; index++) {
    x = block(net, x, { tower, index, cameras, tokens: patches + leading });
    net.tap(`vision.${tower.name}.block.${index}`, x);
  }
  return leading === 0 ? x : graph.slice(x, 1, leading, leading + patches);
}

/** The convolution with stride = kernel, written as one product over rows of flattened patches. */
function patchEmbedding(net: Net, pixels: string, tower: TowerShape, cameras: number): string {
  const { graph } = net;
  const { grid, patch, width } = tower;
  const cut = graph.reshape(pixels, cameras, 3, grid, patch, grid, patch);
  const ordered = graph.transpose(cut, 0, 2, 4, 1, 3, 5);
  const rows = graph.reshape(ordered, cameras * grid * grid, 3 * patch * patch);
  const name = `${tower.prefix}patch_embed.proj`;
  const kernel = graph.reshape(net.weights.weight(`${name}.weight`), width, 3 * patch * patch);
  const bias = net.weights.weight(`${name}.bias`);
  return graph.reshape(
    graph.node('Gemm', [rows, kernel, bias], { transB: 1 }),
    cameras,
    grid * grid,
    width,
  );
}

/** [C, prefix, width], or nothing; prefix tokens get no position. */
function prefixTokens(net: Net, tower: TowerShape, cameras: number): string | undefined {
  const names = [
    ...(tower.classToken ? ['cls_token'] : []),
    ...(tower.registers > 0 ? ['reg_token'] : []),
  ];
  if (names.length === 0) return undefined;
  const tokens = names.map((name) => net.weights.weight(tower.prefix + name));
  const one = net.graph.concat(tokens, 1);
  return net.graph.node('Expand', [one, net.graph.integers(cameras, 1, 1)]);
}

interface BlockPlace {
  readonly tower: TowerShape;
  readonly index: number;
  readonly cameras: number;
  readonly tokens: number;
}

function block(net: Net, x: string, place: BlockPlace): string {
  const { tower, index, cameras, tokens } = place;
  const name = `${tower.prefix}blocks.${index}`;
  const flat = (value: string): string => net.graph.reshape(value, cameras * tokens, tower.width);
  const unflat = (value: string): string => net.graph.reshape(value, cameras, tokens, tower.width);
  const scaled = (value: string, which: string): string =>
    tower.layerScale
      ? multiply(net, value, net.weights.weight(`${name}.${which}.scale_factor`))
      : value;
  const attended = attention(net, flat(layerNorm(net, x, `${name}.norm1`, epsilon)), place);
  const y = add(net, x, scaled(unflat(linear(net, attended, `${name}.attn.proj`)), 'ls1'));
  const normed = flat(layerNorm(net, y, `${name}.norm2`, epsilon));
  const hidden = gelu(net, linear(net, normed, `${name}.mlp.fc1`));
  return add(net, y, scaled(unflat(linear(net, hidden, `${name}.mlp.fc2`)), 'ls2'));
}

/** Joint q, k, v over rows [C·t, width]; every picture attends to itself only. */
function attention(net: Net, rows: string, { tower, index, cameras, tokens }: BlockPlace): string {
  const { graph } = net;
  const size = tower.width / tower.heads;
  const joint = linear(net, rows, `${tower.prefix}blocks.${index}.attn.qkv`);
  const [q = '', k = '', v = ''] = graph.split(joint, 3, 1);
  const heads = (value: string): string => graph.reshape(value, cameras, tokens, tower.heads, size);
  const query = multiply(net, graph.transpose(heads(q), 0, 2, 1, 3), graph.scalar(size ** -0.5));
  const weights = softmax(net, matmul(net, query, graph.transpose(heads(k), 0, 2, 3, 1)));
  const mixed = matmul(net, weights, graph.transpose(heads(v), 0, 2, 1, 3));
  return graph.reshape(graph.transpose(mixed, 0, 2, 1, 3), cameras * tokens, tower.width);
}
