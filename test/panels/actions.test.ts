import { describe, expect, it } from 'vitest';
import { isActAnswer } from '../../server/protocol/act';
import { actDocument } from '../../src/commands/act-document';

const answer = {
  chosen: 'b',
  device: 'cpu',
  seconds: 0.25,
  actions: [
    [1, -2],
    [0.5, 0.00004],
  ],
  normalized: [
    [0.1, -0.2],
    [0.05, 0],
  ],
  scores: { a: 1.5, b: 2 },
  softmax: { a: 0.4, b: 0.6 },
};
const observation = { images: ['/x/full.png'], instruction: 'lift it', proprio: '[1,2]' };

describe('one action as a document', () => {
  it('says who acted, what was seen, and every number of the chunk', () => {
    const lines = actDocument('/runs/x', observation, answer).split('\n');
    expect(lines[0]).toBe('# b acts');
    expect(lines).toContain('- Instruction: lift it');
    expect(lines).toContain('- Picture: `/x/full.png`');
    expect(lines).toContain('- Robot state: `[1,2]`');
    expect(lines).toContain('| **b** | 2.0000 | 0.600 |');
    expect(lines).toContain('| step | a1 | a2 |');
    expect(lines).toContain('| 1 | 0.5000 | 0.0000 |');
  });

  it('has no routing section where nothing was routed', () => {
    const { chosen, device, seconds, actions, normalized } = answer;
    const plain = { chosen, device, seconds, actions, normalized };
    expect(isActAnswer(plain)).toBe(true);
    expect(actDocument('/runs/x', observation, plain)).not.toContain('## Routing');
  });

  it('is made of whole answers only', () => {
    expect(isActAnswer({ ...answer, actions: [['1']] })).toBe(false);
    expect(isActAnswer({ ...answer, chosen: undefined })).toBe(false);
    expect(isActAnswer(undefined)).toBe(false);
  });
});
