import { ProgressLocation, window } from 'vscode';
import { isRecord } from '../../server/protocol/shape';
import { runCommand } from '../command-line';
import { deviceArguments } from '../config';
import { failureOf, parseJson, type Asked } from './asked';
import type { Parts } from './context';

/** What a policy is shown once. */
export interface Observation {
  /** Absolute paths, in camera order. */
  readonly images: readonly string[];
  readonly instruction: string;
  /** The robot's state as a JSON list, where the policy reads it. */
  readonly proprio?: string;
}

/** Asks for the pictures, the instruction and, where wanted, the robot's state. */
export async function askObservation(
  wants: { readonly proprio: boolean } = { proprio: false },
): Promise<Observation | undefined> {
  const picked = await window.showOpenDialog({
    title: 'Pictures in camera order',
    canSelectMany: true,
    filters: { Pictures: ['png', 'jpg', 'jpeg'] },
  });
  if (!picked || picked.length === 0) return undefined;
  const instruction = await window.showInputBox({
    title: 'Instruction',
    prompt: picked.map(({ path }) => path.split('/').at(-1)).join(', '),
  });
  if (instruction === undefined) return undefined;
  const images = picked.map(({ fsPath }) => fsPath);
  if (!wants.proprio) return { images, instruction };
  const proprio = await window.showInputBox({
    title: 'Robot State',
    prompt: 'A JSON list of numbers; empty for a policy that reads none',
    placeHolder: '[0.1, 0.2, …]',
    validateInput: proprioFault,
  });
  if (proprio === undefined) return undefined;
  return { images, instruction, ...(proprio.trim() === '' ? {} : { proprio }) };
}

function proprioFault(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const value = parseJson(text);
  const fits = Array.isArray(value) && value.every((item) => typeof item === 'number');
  return fits ? undefined : 'A JSON list of numbers such as [0.1, 0.2]';
}

/** An observation that came as a command's argument, from code. */
export function asObservation(value: unknown): Observation | undefined {
  if (!isRecord(value)) return undefined;
  const { images, instruction, proprio } = value;
  const fits = Array.isArray(images) && images.every((image) => typeof image === 'string');
  if (!fits || typeof instruction !== 'string') return undefined;
  return {
    images: images.map(String),
    instruction,
    ...(typeof proprio === 'string' ? { proprio } : {}),
  };
}

/** Runs `route` or `act` on a run or recipe in a process of its own, which the notification can cancel. */
export async function askPolicy(
  parts: Parts,
  verb: 'route' | 'act',
  target: string,
  observation: Observation,
): Promise<Asked> {
  const { images, instruction, proprio } = observation;
  const args = [
    ...[verb, target, '--images', images.join(','), '--instruction', instruction],
    ...(proprio === undefined ? [] : ['--proprio', proprio]),
    ...deviceArguments(),
    ...(verb === 'route' ? ['--detail'] : []),
    '--json',
  ];
  const title = verb === 'route' ? 'Routing' : 'Acting';
  const result = await window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    (_progress, token) => runCommand(parts.cli, args, { token }),
  );
  if (result.cancelled) return { state: 'cancelled' };
  const value = parseJson(result.stdout);
  if (result.code === 0) return { state: 'answered', value };
  return { state: 'failed', failure: failureOf(value, result.stderr) };
}
