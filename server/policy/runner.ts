import {
  createSession,
  runSession,
  type InferenceSession,
  type Onnx,
  type Tensor,
} from '../compute/onnx-session';
import { TensorReader } from '../tensors/reader';
import { composeWeights } from './compose';
import type { PolicyConfig } from './config';
import { noPolicy } from './errors';
import {
  headModel,
  maskLayout,
  visionLanguageModel,
  type MaskLayout,
  type Model,
  type VisionLanguageWeights,
} from './model';
import { readWhole, type PolicyParts, type TaskParts } from './parts';
import { languageRope } from './rope';

export interface RunnerOptions {
  readonly onnx: Onnx;
  readonly device: string;
  readonly deviceId?: number | undefined;
  readonly threads?: number | undefined;
  /** Compose each task's weights once instead of masking in every pass. */
  readonly compose: boolean;
  /** Keep weights as stored instead of folding them into float32. */
  readonly lean: boolean;
  /** Unpack masks by arithmetic; default: where the provider has no bit operations. */
  readonly arithmetic?: boolean;
}

/** Input of one pass of the vision-language model. */
export interface PassInput {
  /** [1, channels, S, S] */
  readonly pixels: Float32Array;
  /** Prompt ids, without the stop token. */
  readonly ids: readonly number[];
}

/** Which weights a pass runs with. */
export interface Variant {
  readonly task: string;
  readonly masked: boolean;
}

type Tensors = Readonly<Record<string, Tensor>>;

/** Runs the graphs of one policy: owns the sessions and the buffers that passes share. */
export class PolicyRunner {
  private readonly reader: TensorReader;
  private readonly layout: MaskLayout;
  private readonly sessions = new Map<string, Promise<InferenceSession>>();
  private readonly maskInputs = new Map<string, Tensor>();
  private readonly queryInputs = new Map<string, Tensor>();
  private readonly lengthInputs = new Map<number, Tensors>();

  constructor(
    private readonly parts: PolicyParts,
    private readonly config: PolicyConfig,
    private readonly options: RunnerOptions,
  ) {
    this.reader = new TensorReader(parts.files);
    this.layout = maskLayout(parts);
  }

  /** `hidden` [N + 1, T + Q, width] of one masked model. */
  async hidden(input: PassInput, variant: Variant): Promise<Float32Array> {
    const session = await this.visionLanguage(variant);
    const out = await this.run(session, this.passFeeds(input, variant));
    return floats(out, 'hidden');
  }

  /** Normalised actions [chunk · action size]. */
  async actions(hidden: Float32Array, state: Float64Array, task: string): Promise<Float32Array> {
    const session = await this.head(task);
    return floats(await this.run(session, this.headFeeds(hidden, state)), 'actions');
  }

  /** All outputs of both models with every stage tapped; the sessions are made for this one call. */
  async stages(
    input: PassInput,
    state: Float64Array,
    variant: Variant,
  ): Promise<readonly Tensors[]> {
    const modelOptions = { stages: true, arithmetic: this.arithmetic };
    const source = this.weightsFor(variant);
    const vlm = await this.create(
      visionLanguageModel(this.parts, this.config, source, modelOptions),
    );
    const seen = await this.run(vlm, this.passFeeds(input, variant));
    await vlm.release();
    const own = this.task(variant.task).head;
    const head = await this.create(headModel(this.parts, this.config, own, modelOptions));
    const acted = await this.run(head, this.headFeeds(floats(seen, 'hidden'), state));
    await head.release();
    return [seen, acted];
  }

  task(name: string): TaskParts {
    const task = this.parts.tasks.get(name);
    if (!task)
      throw noPolicy(
        this.parts.where,
        `has no task ${name}; it has ${[...this.parts.tasks.keys()].join(', ')}`,
      );
    return task;
  }

  async close(): Promise<void> {
    const open = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of await Promise.allSettled(open))
      if (session.status === 'fulfilled') await session.value.release();
    this.reader.close();
  }

  private get arithmetic(): boolean {
    const { device, arithmetic } = this.options;
    return arithmetic ?? device !== 'cpu';
  }

  private visionLanguage(variant: Variant): Promise<InferenceSession> {
    const isShared = !this.parts.vector || !this.options.compose;
    const key = isShared ? 'model' : `model ${variant.masked ? variant.task : ''}`;
    return this.cached(key, () => {
      const options = { stages: false, arithmetic: this.arithmetic };
      return visionLanguageModel(this.parts, this.config, this.weightsFor(variant), options);
    });
  }

  private head(task: string): Promise<InferenceSession> {
    return this.cached(`head ${task}`, () => {
      const options = { stages: false, arithmetic: this.arithmetic };
      return headModel(this.parts, this.config, this.task(task).head, options);
    });
  }

  private cached(key: string, build: () => Model): Promise<InferenceSession> {
    const known = this.sessions.get(key);
    if (known) return known;
    const session = this.create(build());
    this.sessions.set(key, session);
    return session;
  }

  private create(model: Model): Promise<InferenceSession> {
    return createSession(this.options.onnx, model.bytes, {
      device: this.options.device,
      deviceId: this.options.deviceId,
      threads: this.options.threads,
      lean: this.options.lean,
      folder: model.folder,
    });
  }

  private weightsFor(variant: Variant): VisionLanguageWeights {
    if (!this.parts.vector) return { kind: 'plain' };
    if (!this.options.compose) return { kind: 'masked', layout: this.layout };
    const { readMask, scale } = this.task(variant.task);
    const values = composeWeights(this.parts, this.reader, {
      readMask: variant.masked ? readMask : undefined,
      scale: variant.masked ? scale : undefined,
    });
    return { kind: 'composed', values };
  }

  private run(session: InferenceSession, feeds: Tensors): Promise<Tensors> {
    return runSession(session, feeds, this.options.device);
  }

  private passFeeds(input: PassInput, variant: Variant): Tensors {
    const { imageSize, entry, shape, cameras } = this.config;
    const { Tensor: OnnxTensor } = this.options.onnx;
    const channels = 3 * shape.towers.length * cameras.length;
    const ids = BigInt64Array.from([...input.ids, entry.stop_token], BigInt);
    const isMasked = this.parts.vector && !this.options.compose;
    return {
      pixels: new OnnxTensor('float32', input.pixels, [1, channels, imageSize, imageSize]),
      ids: new OnnxTensor('int64', ids, [ids.length]),
      queries: this.queries(variant.task),
      ...this.lengthFeeds(input.ids.length),
      ...(isMasked ? { mask: this.mask(variant) } : {}),
      ...(isMasked && this.layout.scaled ? { scale: this.scale(variant) } : {}),
    };
  }

  private headFeeds(hidden: Float32Array, state: Float64Array): Tensors {
    const { Tensor: OnnxTensor } = this.options.onnx;
    const { language, shape, taskTokens } = this.config;
    const rows = taskTokens + shape.queries;
    return {
      hidden: new OnnxTensor('float32', hidden, [language.layers + 1, rows, language.width]),
      state: new OnnxTensor('float32', Float32Array.from(state), [1, state.length]),
    };
  }

  private queries(name: string): Tensor {
    return remember(this.queryInputs, name, () => {
      const { queries } = this.task(name);
      const values = readWhole(this.reader, queries);
      return new this.options.onnx.Tensor('float32', values, queries.shape);
    });
  }

  /** All masks of a task, one after another; all ones without masks. */
  private mask({ task, masked }: Variant): Tensor {
    return remember(this.maskInputs, masked ? task : '', () => {
      const bits = new Uint8Array(this.layout.bytes).fill(0xff);
      const { readMask } = this.task(task);
      for (const [name, { offset, bytes }] of masked && readMask ? this.layout.slots : [])
        if (this.parts.masked.has(name)) readMask?.(name, bits.subarray(offset, offset + bytes));
      const { Tensor: OnnxTensor } = this.options.onnx;
      return this.arithmetic
        ? new OnnxTensor('float32', Float32Array.from(bits), [bits.length])
        : new OnnxTensor('uint8', bits, [bits.length]);
    });
  }

  private scale({ task, masked }: Variant): Tensor {
    const value = masked ? (this.task(task).scale ?? 1) : 1;
    return new this.options.onnx.Tensor('float32', Float32Array.of(value), [1]);
  }

  /** Rotary tables, causal mask and action positions depend on the prompt's length alone. */
  private lengthFeeds(prompt: number): Tensors {
    return remember(this.lengthInputs, prompt, () => {
      const { Tensor: OnnxTensor } = this.options.onnx;
      const { language, shape, cameras, taskTokens } = this.config;
      const length = prompt + cameras.length * shape.patches + shape.queries + 1;
      const table = languageRope(length, language.headDim, language.ropeTheta);
      const causal = new Float32Array(length * length);
      for (let row = 0; row < length; row++)
        causal.fill(-3.4e38, row * length + row + 1, (row + 1) * length);
      const first = taskTokens + prompt - 1;
      const positions = BigInt64Array.from({ length: shape.queries }, (_, i) => BigInt(first + i));
      return {
        cos: new OnnxTensor('float32', table.cos, [length, language.headDim]),
        sin: new OnnxTensor('float32', table.sin, [length, language.headDim]),
        causal: new OnnxTensor('float32', causal, [length, length]),
        positions: new OnnxTensor('int64', positions, [positions.length]),
      };
    });
  }
}

function remember<K, V>(cache: Map<K, V>, key: K, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = make();
  cache.set(key, value);
  return value;
}

/** A float32 output's numbers. */
function floats(out: Tensors, name: string): Float32Array {
  const data = out[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new Error(`the model gave no float32 output ${name}`);
}
