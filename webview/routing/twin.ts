import type { RoutingModel } from './model';
import { setOf } from './model';

/** The numbers behind the panel as CSV: scores of both pairings, then one line an episode and pairing. */
export function routingCsv(model: RoutingModel): string {
  const { snapshot } = model;
  const { tasks } = snapshot;
  const pairings = snapshot.answer?.detail?.pairings;
  const scores = (['same', 'crossed'] as const).flatMap((pairing) => {
    const answer = pairings?.[pairing];
    if (!answer) return [];
    return tasks.map((task) =>
      [
        pairing,
        task,
        answer.softmax[task],
        answer.scores[task],
        answer.paths[task]?.task_path,
        answer.paths[task]?.action_path,
      ]
        .map(String)
        .join(','),
    );
  });
  const episodes = (['same', 'crossed'] as const).flatMap((pairing) =>
    (setOf(model, pairing)?.episodes ?? []).map((e) =>
      [
        pairing,
        e.seed,
        tasks[e.truth],
        tasks[e.routed],
        e.margin,
        e.pTrue,
        e.pRouted,
        e.success,
        e.steps,
      ]
        .map(String)
        .join(','),
    ),
  );
  return [
    'pairing,candidate,softmax,r,task_path,action_path',
    ...scores,
    '',
    'pairing,seed,true,routed,margin,p_true,p_routed,success,steps',
    ...episodes,
  ].join('\n');
}
