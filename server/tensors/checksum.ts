import * as zlib from 'node:zlib';

/** Node has its own since 20.15; the editors we support bring older ones, hence `Reflect`. */
const native: unknown = Reflect.get(zlib, 'crc32');

/** CRC-32 of zip archives (polynomial 0xedb88320), continued from `previous`. */
export function checksum(bytes: Uint8Array, previous = 0): number {
  if (typeof native !== 'function') return tableChecksum(bytes, previous);
  return Number(Reflect.apply(native, zlib, [bytes, previous]));
}

/** The same in plain TypeScript. */
export function tableChecksum(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  for (let i = 0; i < bytes.length; i++)
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
