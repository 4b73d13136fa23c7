import type { MethodName, MethodSettings } from '../plan-types';
import { average } from './average';
import { breadcrumbs, breadcrumbsTies } from './breadcrumbs';
import { dareLinear, dareTies } from './dare';
import { della, dellaLinear } from './della';
import { emr } from './emr';
import { mean } from './mean';
import type { Method } from './method';
import { modelStock, modelStockRows } from './model-stock';
import { slerp } from './slerp';
import { spectralMethods } from './spectral';
import { taskArithmetic } from './task-arithmetic';
import { ties } from './ties';

/** Every method that this version can run. */
export const methods: Readonly<Partial<Record<MethodName, Method>>> = {
  average,
  task_arithmetic: taskArithmetic,
  ties,
  dare_linear: dareLinear,
  dare_ties: dareTies,
  breadcrumbs,
  breadcrumbs_ties: breadcrumbsTies,
  della,
  della_linear: dellaLinear,
  slerp,
  model_stock: modelStock,
  emr,
  ...spectralMethods,
};

/** What a tensor of this shape is merged with for so many tasks, and the report's name for it. */
export function methodFor(
  settings: MethodSettings,
  shape: readonly number[],
  tasks: number,
): { readonly method: Method; readonly rule: string } {
  const method = methods[settings.method];
  if (!method) throw new RangeError(`method ${settings.method} is not available`);
  if (method.kind === 'matrix' && (shape.length !== 2 || method.takes?.(shape, tasks) === false))
    return { method: mean, rule: 'mean' };
  if (method === modelStock && settings.filter_wise)
    return { method: modelStockRows, rule: settings.method };
  return { method, rule: settings.method };
}
