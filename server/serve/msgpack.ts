/** What we send. `Map` writes its keys as bytes, which is how one protocol marks arrays. */
export type Packable =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Packable[]
  | ReadonlyMap<string, Packable>
  | { readonly [key: string]: Packable | undefined };

/** Deeper nesting than any observation has: a bomb of nested arrays must not reach the stack's end. */
const maximumDepth = 32;

/**
 * Reads one message; map keys may be text or bytes and become text, repeated keys keep the last value.
 * Throws on anything malformed: cut short, too deep, extensions, bytes left over.
 */
export function unpack(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.atEnd) throw new Error('bytes are left over at its end');
  return value;
}

/** Kinds of the types 0xc0 to 0xdf: constant, bytes, number, text, list, map; x is not understood. */
const longKinds = 'cxccbbbxxxnnnnnnnnnnxxxxxtttllmm';

class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  value(depth: number): unknown {
    if (depth > maximumDepth) throw new Error(`it is nested more than ${maximumDepth} deep`);
    const type = this.byte();
    if (type < 0x80) return type;
    if (type < 0x90) return this.map(type & 15, depth);
    if (type < 0xa0) return this.list(type & 15, depth);
    if (type < 0xc0) return this.text(type & 31);
    if (type >= 0xe0) return type - 256;
    return this.long(type, depth);
  }

  /** Types from 0xc0 to 0xdf: constants, numbers, and lengths of 8, 16 or 32 bits. */
  private long(type: number, depth: number): unknown {
    switch (longKinds[type - 0xc0]) {
      case 'c':
        return type === 0xc0 ? null : type === 0xc3;
      case 'n':
        return this.number(type);
      case 'b':
        return this.take(this.unsigned(1 << (type - 0xc4)));
      case 't':
        return this.text(this.unsigned(1 << (type - 0xd9)));
      case 'l':
        return this.list(this.unsigned(type === 0xdc ? 2 : 4), depth);
      case 'm':
        return this.map(this.unsigned(type === 0xde ? 2 : 4), depth);
      default:
        throw new Error(`type 0x${type.toString(16)} is not understood`);
    }
  }

  private number(type: number): number {
    if (type === 0xca) return this.view.getFloat32(this.skip(4));
    if (type === 0xcb) return this.view.getFloat64(this.skip(8));
    if (type < 0xd0) return this.unsigned(1 << (type - 0xcc));
    const size = 1 << (type - 0xd0);
    const at = this.skip(size);
    if (size === 1) return this.view.getInt8(at);
    if (size === 2) return this.view.getInt16(at);
    return size === 4 ? this.view.getInt32(at) : Number(this.view.getBigInt64(at));
  }

  private unsigned(size: number): number {
    const at = this.skip(size);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at);
    return size === 4 ? this.view.getUint32(at) : Number(this.view.getBigUint64(at));
  }

  private list(length: number, depth: number): unknown[] {
    this.expect(length);
    return Array.from({ length }, () => this.value(depth + 1));
  }

  private map(length: number, depth: number): Record<string, unknown> {
    this.expect(length);
    const entries = Array.from({ length }, () => [this.key(), this.value(depth + 1)] as const);
    return Object.fromEntries(entries);
  }

  private key(): string {
    const key = this.value(maximumDepth);
    if (typeof key === 'string') return key;
    if (key instanceof Uint8Array) return new TextDecoder().decode(key);
    if (typeof key === 'number') return String(key);
    throw new Error('a map key is neither text nor bytes');
  }

  private text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }

  private take(length: number): Uint8Array {
    const at = this.skip(length);
    return this.bytes.subarray(at, at + length);
  }

  private byte(): number {
    return this.view.getUint8(this.skip(1));
  }

  private skip(length: number): number {
    this.expect(length);
    const at = this.at;
    this.at += length;
    return at;
  }

  /** Every element takes a byte at least, so a claimed length is checked before it is believed. */
  private expect(length: number): void {
    if (this.at + length > this.bytes.length) throw new Error('it is cut short');
  }
}

/** Writes one message. No library on offer writes byte keys, which openpi's arrays need. */
export function pack(value: Packable): Uint8Array {
  const parts: Uint8Array[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: Packable, out: Uint8Array[]): void {
  if (value === null) out.push(Uint8Array.of(0xc0));
  else if (typeof value === 'boolean') out.push(Uint8Array.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') out.push(numberBytes(value));
  else if (typeof value === 'string') writeText(value, out);
  else if (value instanceof Uint8Array) out.push(header(0xc6, value.length), value);
  else writeContainer(value, out);
}

function writeText(text: string, out: Uint8Array[]): void {
  const bytes = new TextEncoder().encode(text);
  out.push(header(0xdb, bytes.length), bytes);
}

function writeContainer(
  value: Exclude<Packable, null | boolean | number | string | Uint8Array>,
  out: Uint8Array[],
): void {
  if (isList(value)) {
    out.push(header(0xdd, value.length));
    for (const item of value) write(item, out);
  } else if (value instanceof Map) {
    out.push(header(0xdf, value.size));
    for (const [key, item] of value as ReadonlyMap<string, Packable>) {
      write(new TextEncoder().encode(key), out);
      write(item, out);
    }
  } else writeObject(value as { readonly [key: string]: Packable | undefined }, out);
}

function isList(value: unknown): value is readonly Packable[] {
  return Array.isArray(value);
}

/** Absent entries are left out. */
function writeObject(
  value: { readonly [key: string]: Packable | undefined },
  out: Uint8Array[],
): void {
  const entries = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [[key, item] as const],
  );
  out.push(header(0xdf, entries.length));
  for (const [key, item] of entries) {
    write(key, out);
    write(item, out);
  }
}

/** A type byte and a 32-bit length: longer than need be for short values, and always valid. */
function header(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, length);
  return bytes;
}

/** Integers as 64-bit integers, because a receiver may use them as indices; everything else as doubles. */
function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  if (Number.isSafeInteger(value)) {
    bytes[0] = 0xd3;
    view.setBigInt64(1, BigInt(value));
  } else {
    bytes[0] = 0xcb;
    view.setFloat64(1, value);
  }
  return bytes;
}
