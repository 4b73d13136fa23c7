import type { Pairing } from '../protocol/routing';
import { TensorReader } from '../tensors/reader';
import type { PolicyConfig } from './config';
import { badObservation, noRouter, notFinite } from './errors';
import { readWhole, type PolicyParts, type RouterSettings } from './parts';
import type { Preprocessor } from './preprocess';
import type { PromptTokenizer } from './prompt';
import { routerEnergies, scorePairing, type RouterBasis } from './router';
import type { PassInput, PolicyRunner } from './runner';
import { namedStages } from './stages';
import { Normalizer } from './statistics';
import type {
  ActionChunk,
  ActOptions,
  Energies,
  MeanScores,
  Observation,
  PairingScores,
  Policy,
  Routing,
  Stages,
} from './types';

export interface PolicyServices {
  readonly parts: PolicyParts;
  readonly config: PolicyConfig;
  readonly runner: PolicyRunner;
  readonly tokenizer: PromptTokenizer;
  readonly preprocessor: Preprocessor;
  readonly device: string;
}

/** A policy that runs on onnxruntime. */
export class OnnxPolicy implements Policy {
  readonly tasks: readonly string[];
  readonly precision = 'float32';
  private readonly normalizers = new Map<string, Normalizer>();
  private readonly bases = new Map<string, RouterBasis>();
  /** Hidden states of the task that routing chose: acting on the same observation needs them again. */
  private routed:
    | { readonly observation: Observation; readonly task: string; readonly hidden: Float32Array }
    | undefined;

  constructor(private readonly services: PolicyServices) {
    this.tasks = [...services.parts.tasks.keys()];
  }

  get config(): PolicyConfig {
    return this.services.config;
  }

  get device(): string {
    return this.services.device;
  }

  get routes(): boolean {
    return this.services.parts.router !== undefined;
  }

  get routesPer(): 'episode' | 'suite' {
    return this.services.parts.router?.per ?? 'episode';
  }

  async route(observation: Observation): Promise<Routing> {
    const started = performance.now();
    const router = this.router();
    const { energies, best } = await this.candidates(observation, router);
    const pairings: Record<Pairing, PairingScores> = {
      same: scorePairing(energies, 'same', router),
      crossed: scorePairing(energies, 'crossed', router),
    };
    const chosen = this.tasks[pairings[router.pairing].chosen] ?? '';
    if (best?.task === chosen) this.routed = { observation, task: chosen, hidden: best.hidden };
    return {
      tasks: this.tasks,
      pairing: router.pairing,
      pairings,
      chosen,
      calibrated: router.offsets !== undefined,
      seconds: (performance.now() - started) / 1000,
    };
  }

  async meanScores(observations: readonly Observation[]): Promise<MeanScores> {
    const router = this.router();
    const means = { same: this.tasks.map(() => 0), crossed: this.tasks.map(() => 0) };
    for (const observation of observations) {
      const { energies } = await this.candidates(observation, router);
      for (const pairing of ['same', 'crossed'] as const)
        scorePairing(energies, pairing, { temperature: 1 }).scores.forEach((score, task) => {
          means[pairing][task] = (means[pairing][task] ?? 0) + score / observations.length;
        });
    }
    return means;
  }

  private router(): RouterSettings {
    const { router, where } = this.services.parts;
    if (router) return router;
    throw noRouter(
      `${where} has no router (its recipe says router: none, or it is one expert); name the task instead`,
    );
  }

  /** One pass of every task's masked model; the hidden states of the best candidate are kept. */
  private async candidates(observation: Observation, router: RouterSettings) {
    const input = this.passInput(observation);
    const energies: Energies[] = [];
    let best: { score: number; task: string; hidden: Float32Array } | undefined;
    for (const [index, task] of this.tasks.entries()) {
      const hidden = await this.services.runner.hidden(input, { task, masked: true });
      const energy = this.energies(hidden, task, router.hiddenEntry);
      energies.push(energy);
      const [raw = 0] = scorePairing([energy], router.pairing, { temperature: 1 }).scores;
      const score = raw / (router.offsets?.[router.pairing][index] ?? 1);
      if (!best || score > best.score) best = { score, task, hidden };
    }
    return { energies, best };
  }

  async act(
    observation: Observation,
    task: string,
    options: ActOptions = {},
  ): Promise<ActionChunk> {
    const started = performance.now();
    const { runner } = this.services;
    const masked = options.masked ?? true;
    const state = this.state(observation, task);
    const known = this.routed;
    const hidden =
      masked && known?.observation === observation && known.task === task
        ? known.hidden
        : await runner.hidden(this.passInput(observation), { task, masked });
    const flat = await runner.actions(hidden, state, task);
    const chunk = this.restore(flat, observation, task);
    return { ...chunk, seconds: (performance.now() - started) / 1000 };
  }

  async stages(observation: Observation, task: string, options: ActOptions = {}): Promise<Stages> {
    const state = this.state(observation, task);
    const variant = { task, masked: options.masked ?? true };
    const input = this.passInput(observation);
    const outputs = await this.services.runner.stages(input, state, variant);
    return namedStages(outputs, {
      pixels: input.pixels,
      state,
      config: this.config,
      restore: (flat) => this.restore(flat, observation, task).actions,
    });
  }

  async close(): Promise<void> {
    this.routed = undefined;
    await this.services.runner.close();
  }

  private passInput(observation: Observation): PassInput {
    const { preprocessor, tokenizer } = this.services;
    return {
      ids: tokenizer.encode(observation.instruction),
      pixels: preprocessor.prepare(observation.images).pixels,
    };
  }

  private energies(hidden: Float32Array, task: string, entry: number): Energies {
    const { taskTokens, shape, language } = this.config;
    const size = (taskTokens + shape.queries) * language.width;
    const states = hidden.subarray(entry * size, (entry + 1) * size);
    return routerEnergies(states, taskTokens, this.basis(task));
  }

  private basis(task: string): RouterBasis {
    const known = this.bases.get(task);
    if (known) return known;
    const stored = this.services.runner.task(task).basis;
    if (!stored) throw noRouter(`${this.services.parts.where} has no router basis of ${task}`);
    const reader = new TensorReader(this.services.parts.files);
    const [rank = 0, width = 0] = stored.task.shape;
    const basis = {
      rank,
      width,
      task: readWhole(reader, stored.task),
      action: readWhole(reader, stored.action),
    };
    reader.close();
    this.bases.set(task, basis);
    return basis;
  }

  private normalizer(task: string): Normalizer {
    const known = this.normalizers.get(task);
    if (known) return known;
    const { head } = this.config.shape;
    const normalizer = Normalizer.make(this.services.parts.statistics, task, {
      action: head.actionSize,
      proprio: head.proprioSize,
      actionNorm: this.config.entry.action_norm,
      proprioNorm: this.config.entry.proprio_norm,
    });
    this.normalizers.set(task, normalizer);
    return normalizer;
  }

  private state(observation: Observation, task: string): Float64Array {
    this.services.runner.task(task);
    const normalizer = this.normalizer(task);
    if (!observation.proprio)
      throw badObservation(
        `this policy needs the robot's state, ${this.config.shape.head.proprioSize} numbers`,
      );
    return normalizer.normalizeProprio(observation.proprio);
  }

  /** Rows of the chunk, normalised and in the robot's units. */
  private restore(
    flat: Float32Array,
    observation: Observation,
    task: string,
  ): Omit<ActionChunk, 'seconds'> {
    const size = this.config.shape.head.actionSize;
    if (!flat.every(Number.isFinite))
      throw notFinite(`the policy of ${task} gives actions that are not numbers`);
    const normalized = Array.from({ length: this.config.chunk }, (_, row) =>
      flat.slice(row * size, (row + 1) * size),
    );
    const normalizer = this.normalizer(task);
    const actions = normalized.map((row) => {
      const action = normalizer.restoreAction(row);
      if (!this.config.entry.relative_actions) return action;
      return action.map((value, i) => value + (observation.proprio?.[i] ?? 0));
    });
    return { actions, normalized };
  }
}
