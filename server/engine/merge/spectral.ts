import type { MethodName } from '../plan-types';
import type { MatrixMethod } from './method';

/**
 * The methods that need singular values or iterations on whole matrices. A recipe may name one that is
 * not in this table; planning then answers that it is not available in this version.
 */
export const spectralMethods: Readonly<Partial<Record<MethodName, MatrixMethod>>> = {};
