/**
 * Damaged copies of good files, the same for the same seed: bits flipped, bytes replaced, inserted, left out or
 * repeated, and numbers, as bytes or as digits, replaced by those that readers stumble over.
 */
export function mutate(bytes: Uint8Array, seed: number): Buffer {
  const random = generator(seed);
  let damaged: Buffer = Buffer.from(bytes);
  for (let left = 1 + random(3); left > 0; left--)
    damaged = kinds[random(kinds.length)](damaged, random);
  return damaged;
}

/** The same on text; what is no UTF-8 afterwards comes back as replacement characters. */
export function mutateText(text: string, seed: number): string {
  return mutate(Buffer.from(text), seed).toString('utf8');
}

/** How many damaged copies a test looks at; more with `FUZZ=20000`. */
export const copies = Number(process.env['FUZZ'] ?? 300);

type Random = (below: number) => number;

/** xorshift; whole numbers from 0 on. */
function generator(seed: number): Random {
  let s = Math.imul(seed + 1, 2654435761) | 1;
  return (below) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % Math.max(1, below);
  };
}

const oddNumbers = [
  0,
  1,
  2,
  7,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const oddTexts = [
  '0',
  '-1',
  '1e9',
  '1e400',
  '.nan',
  'null',
  '""',
  '[]',
  '{}',
  '9007199254740993',
  '../x',
  '*',
  '&a ',
  '\t',
  '\0',
  '"',
  ':',
  '\n',
  '__proto__',
  '0.5.1',
  '~',
  '!!binary ',
  '<<: ',
];

const kinds: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    bytes[random(bytes.length)] ^= 1 << random(8);
    return bytes;
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = [0, 0x20, 0x2e, 0x30, 0x7f, 0x80, 0xff][random(7)];
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(16))]);
  },
  (bytes, random) => {
    const at = random(bytes.length);
    const again = bytes.subarray(at, at + 1 + random(64));
    return Buffer.concat([bytes.subarray(0, at), again, bytes.subarray(at)]);
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    const at = random(bytes.length - 4);
    if (at >= 0 && at + 4 <= bytes.length)
      bytes.writeUInt32LE(oddNumbers[random(oddNumbers.length)], at);
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    const text = Buffer.from(oddTexts[random(oddTexts.length)]);
    return Buffer.concat([bytes.subarray(0, at), text, bytes.subarray(at)]);
  },
  (bytes, random) => {
    // One of the numbers or words of the text gets another value.
    const text = bytes.toString('latin1');
    const words = [...text.matchAll(/\d+|[a-zA-Z_]{2,}/g)];
    const word = words[random(words.length)];
    if (!word) return bytes;
    const other = oddTexts[random(oddTexts.length)];
    const end = word.index + word[0].length;
    return Buffer.from(text.slice(0, word.index) + other + text.slice(end), 'latin1');
  },
];
