import type { LanguageConfig, PolicyConfig } from '../config';
import type { Net } from './layers';
import { add, linear, matmul, multiply, rmsNorm, softmax } from './layers';

/** Graph inputs of the language model besides the patches; `L` is the sequence's length. */
export interface LanguageInputs {
  /** int64 [prompt + 1]: prompt ids, then the stop token. */
  readonly ids: string;
  /** [L, head size] */
  readonly cos: string;
  readonly sin: string;
  /** [L, L], 0 where a row may look and a large negative number where not. */
  readonly causal: string;
  /** int64 [action queries]: the positions that the head's action path reads. */
  readonly actionPositions: string;
  /** [Q, width]: an input, because tasks may keep queries of their own. */
  readonly queries: string;
}

/**
 * Projected patches to what the action head reads of each hidden state: [N + 1, T + Q, width], task
 * tokens first (reference: policy forward §5–§7).
 */
export function languageGraph(
  net: Net,
  patches: string,
  inputs: LanguageInputs,
  config: PolicyConfig,
): string {
  const { language } = config;
  let x = inputSequence(net, patches, inputs);
  net.tap('lm.inputs_embeds', x);
  const seen = [headView(net, x, inputs, config)];
  net.tap('lm.hidden.0', x);
  for (let layer = 0; layer < language.layers; layer++) {
    x = decoderLayer(net, x, { layer, inputs, language });
    const last = layer === language.layers - 1;
    const hidden = last ? rmsNorm(net, x, 'language_model.model.norm', language.eps) : x;
    net.tap(`lm.hidden.${layer + 1}`, hidden);
    seen.push(headView(net, hidden, inputs, config));
  }
  const view = net.graph.concat(seen, 0);
  net.tap('head.input_hidden', view);
  return view;
}

/** `[embed(id₀), patches, embed(id₁ …), action queries, embed(stop)]`. */
function inputSequence(net: Net, patches: string, inputs: LanguageInputs): string {
  const { graph, weights } = net;
  const embedded = weights.rows('language_model.model.embed_tokens.weight', inputs.ids);
  const end = 2 ** 31;
  return graph.concat(
    [
      graph.slice(embedded, 0, 0, 1),
      patches,
      graph.slice(embedded, 0, 1, -1),
      inputs.queries,
      graph.slice(embedded, 0, -1, end),
    ],
    0,
  );
}

/** [1, T + Q, width] of one hidden state: positions 0 … T−1, then the action positions. */
function headView(net: Net, hidden: string, inputs: LanguageInputs, config: PolicyConfig): string {
  const { graph } = net;
  const task = graph.slice(hidden, 0, 0, config.taskTokens);
  const action = graph.node('Gather', [hidden, inputs.actionPositions], { axis: 0 });
  const rows = config.taskTokens + config.shape.queries;
  return graph.reshape(graph.concat([task, action], 0), 1, rows, config.language.width);
}

interface LayerPlace {
  readonly layer: number;
  readonly inputs: LanguageInputs;
  readonly language: LanguageConfig;
}

function decoderLayer(net: Net, x: string, place: LayerPlace): string {
  const name = `language_model.model.layers.${place.layer}`;
  const { eps } = place.language;
  const attended = attention(net, rmsNorm(net, x, `${name}.input_layernorm`, eps), place);
  if (place.layer === 0) net.tap('lm.layer0.attn_out', attended);
  const y = add(net, x, attended);
  const normed = rmsNorm(net, y, `${name}.post_attention_layernorm`, eps);
  const gate = linear(net, normed, `${name}.mlp.gate_proj`);
  const swish = multiply(net, gate, net.graph.node('Sigmoid', [gate]));
  const hidden = multiply(net, swish, linear(net, normed, `${name}.mlp.up_proj`));
  const out = linear(net, hidden, `${name}.mlp.down_proj`);
  if (place.layer === 0) net.tap('lm.layer0.mlp_out', out);
  return add(net, y, out);
}

/** Causal attention with grouped keys and values, over rows [L, width]. */
function attention(net: Net, rows: string, { layer, inputs, language }: LayerPlace): string {
  const { graph } = net;
  const { heads, kvHeads, headDim } = language;
  const name = `language_model.model.layers.${layer}.self_attn`;
  const split = (which: string, count: number): string => {
    const value = graph.reshape(linear(net, rows, `${name}.${which}_proj`), -1, count, headDim);
    return graph.transpose(value, 1, 0, 2);
  };
  const rotated = (value: string): string => rotateHalves(net, value, inputs);
  const query = graph.reshape(rotated(split('q', heads)), kvHeads, heads / kvHeads, -1, headDim);
  const key = graph.reshape(rotated(split('k', kvHeads)), kvHeads, 1, -1, headDim);
  const value = graph.reshape(split('v', kvHeads), kvHeads, 1, -1, headDim);
  const raw = matmul(net, query, graph.transpose(key, 0, 1, 3, 2));
  const scores = add(net, multiply(net, raw, graph.scalar(headDim ** -0.5)), inputs.causal);
  const mixed = graph.reshape(matmul(net, softmax(net, scores), value), heads, -1, headDim);
  const joined = graph.reshape(graph.transpose(mixed, 1, 0, 2), -1, heads * headDim);
  return linear(net, joined, `${name}.o_proj`);
}

/** Half-split rotary embedding: x·cos + [−x₂, x₁]·sin over [heads, L, size]. */
function rotateHalves(net: Net, value: string, inputs: LanguageInputs): string {
  const { graph } = net;
  const [first = '', second = ''] = graph.split(value, 2, 2);
  const turned = graph.concat([graph.node('Neg', [second]), first], 2);
  return add(net, multiply(net, value, inputs.cos), multiply(net, turned, inputs.sin));
}
