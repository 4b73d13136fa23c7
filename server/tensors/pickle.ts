import {
  callGlobal,
  damagedPickle,
  foreign,
  isKind,
  storageOf,
  type PickleValue,
} from './pickle-values';

/**
 * Far above a real weight file (30 operations and 150 bytes a tensor). Memo, stack and depth grow by
 * at most one for each operation and nothing here recurses, so these two bound them all.
 */
export const pickleLimits = { bytes: 64 * 1024 * 1024, operations: 16_000_000 } as const;

/** What a weight file needs and nothing else; `__main__.TaskSuite` is the released merge's enum. */
const allowedGlobals: ReadonlySet<string> = new Set([
  'collections OrderedDict',
  'torch._utils _rebuild_tensor_v2',
  'torch._utils _rebuild_parameter',
  '__main__ TaskSuite',
  ...['BFloat16', 'Half', 'Float', 'Double', 'Long', 'Int', 'Short', 'Char', 'Byte', 'Bool'].map(
    (type) => `torch ${type}Storage`,
  ),
]);

/**
 * Reads pickle protocols 2 to 4 as far as weight files use them, and runs none of it. Throws
 * `MergeError` MV419 for a global or an operation that weight files do not need, MV418 for damage.
 */
export function readPickle(bytes: Uint8Array, path: string): PickleValue {
  if (bytes.length > pickleLimits.bytes)
    throw damagedPickle(path, `it is larger than ${pickleLimits.bytes} bytes`);
  const machine = new PickleMachine(bytes, path);
  for (let count = 0; count < pickleLimits.operations; count++) {
    const code = machine.unsigned(1);
    if (code === stopCode) return machine.result();
    const operation = operations[code];
    if (!operation) throw foreign(path, `operation 0x${code.toString(16).padStart(2, '0')}`);
    operation(machine);
  }
  throw damagedPickle(path, `it has more than ${pickleLimits.operations} operations`);
}

const stopCode = 0x2e;

/** Stack, marks and memo of one reading, and the bytes still to come. */
class PickleMachine {
  readonly memo = new Map<number, PickleValue>();
  private readonly stack: PickleValue[] = [];
  private readonly marks: number[] = [];
  private readonly view: DataView;
  private position = 0;

  constructor(
    private readonly bytes: Uint8Array,
    readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next bytes, which must be there. */
  take(count: number): Uint8Array {
    const end = this.position + count;
    if (end > this.bytes.length) throw damagedPickle(this.path, 'it ends too early');
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  unsigned(size: 1 | 2 | 4): number {
    const at = this.position;
    this.take(size);
    if (size === 1) return this.view.getUint8(at);
    return size === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true);
  }

  signed32(): number {
    return this.unsigned(4) | 0;
  }

  float64(): number {
    const at = this.position;
    this.take(8);
    return this.view.getFloat64(at);
  }

  /** Little-endian two's complement of `size` bytes. */
  long(size: number): number {
    let value = 0n;
    const taken = this.take(size);
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(taken[i] ?? 0);
    const number = Number(BigInt.asIntN(size * 8, value));
    if (!Number.isSafeInteger(number)) throw damagedPickle(this.path, 'an integer is too large');
    return number;
  }

  text(size: number): string {
    return new TextDecoder().decode(this.take(size));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw damagedPickle(this.path, 'it ends too early');
    const line = this.text(end - this.position);
    this.position = end + 1;
    return line;
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || this.stack.length < (this.marks.at(-1) ?? 0))
      throw damagedPickle(this.path, 'an operation finds its stack empty');
    return value;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  popToMark(): PickleValue[] {
    const start = this.marks.pop();
    if (start === undefined) throw damagedPickle(this.path, 'an operation finds no mark');
    return this.stack.splice(start);
  }

  result(): PickleValue {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0)
      throw damagedPickle(this.path, 'values are left on its stack');
    return value;
  }
}

/** Pushes the name if it is on the allow-list; the name is all that is ever used of it. */
function pushGlobal(machine: PickleMachine, module: PickleValue, name: PickleValue): void {
  if (typeof module !== 'string' || typeof name !== 'string')
    throw damagedPickle(machine.path, 'the name of a global is not a text');
  const global = `${module} ${name}`;
  if (!allowedGlobals.has(global))
    throw foreign(machine.path, `"${global.replace(' ', '.').slice(0, 120)}"`);
  machine.push({ kind: 'global', name: global });
}

function reduce(machine: PickleMachine): void {
  const call = machine.pop();
  const global = machine.pop();
  if (!isKind(call, 'tuple') || !isKind(global, 'global'))
    throw damagedPickle(machine.path, 'something that is not a function is called');
  machine.push(callGlobal(global.name, call.items, machine.path));
}

/** `OrderedDict`s of modules carry a `_metadata` attribute, which says nothing about weights. */
function build(machine: PickleMachine): void {
  machine.pop();
  if (!isKind(machine.top(), 'map')) throw foreign(machine.path, 'the state of a Python object');
}

function append(machine: PickleMachine, items: readonly PickleValue[]): void {
  const list = machine.top();
  if (!isKind(list, 'list')) throw damagedPickle(machine.path, 'something else is used as a list');
  for (const item of items) list.items.push(item);
}

function setItems(machine: PickleMachine, flat: readonly PickleValue[]): void {
  const map = machine.top();
  if (!isKind(map, 'map') || flat.length % 2 === 1)
    throw damagedPickle(machine.path, 'something else is used as a dictionary');
  for (let i = 0; i < flat.length; i += 2) map.entries.push([flat[i] ?? null, flat[i + 1] ?? null]);
}

function tuple(machine: PickleMachine, count: number): void {
  const items = Array.from({ length: count }, () => machine.pop()).reverse();
  machine.push({ kind: 'tuple', items });
}

function recall(machine: PickleMachine, key: number): void {
  const value = machine.memo.get(key);
  if (value === undefined) throw damagedPickle(machine.path, 'it names a value it never stored');
  machine.push(value);
}

/** Operations by code, named as Python's pickletools names them. */
const operations: Readonly<Partial<Record<number, (machine: PickleMachine) => void>>> = {
  /* PROTO            */ 0x80: (m) => m.take(1),
  /* FRAME            */ 0x95: (m) => m.take(8),
  /* MARK             */ 0x28: (m) => m.mark(),
  /* POP              */ 0x30: (m) => m.pop(),
  /* POP_MARK         */ 0x31: (m) => m.popToMark(),
  /* NONE             */ 0x4e: (m) => m.push(null),
  /* NEWTRUE          */ 0x88: (m) => m.push(true),
  /* NEWFALSE         */ 0x89: (m) => m.push(false),
  /* BININT           */ 0x4a: (m) => m.push(m.signed32()),
  /* BININT1          */ 0x4b: (m) => m.push(m.unsigned(1)),
  /* BININT2          */ 0x4d: (m) => m.push(m.unsigned(2)),
  /* LONG1            */ 0x8a: (m) => m.push(m.long(m.unsigned(1))),
  /* BINFLOAT         */ 0x47: (m) => m.push(m.float64()),
  /* BINUNICODE       */ 0x58: (m) => m.push(m.text(m.unsigned(4))),
  /* SHORT_BINUNICODE */ 0x8c: (m) => m.push(m.text(m.unsigned(1))),
  /* BINSTRING        */ 0x54: (m) => m.push(m.text(m.unsigned(4))),
  /* SHORT_BINSTRING  */ 0x55: (m) => m.push(m.text(m.unsigned(1))),
  /* EMPTY_TUPLE      */ 0x29: (m) => tuple(m, 0),
  /* TUPLE1           */ 0x85: (m) => tuple(m, 1),
  /* TUPLE2           */ 0x86: (m) => tuple(m, 2),
  /* TUPLE3           */ 0x87: (m) => tuple(m, 3),
  /* TUPLE            */ 0x74: (m) => m.push({ kind: 'tuple', items: m.popToMark() }),
  /* EMPTY_LIST       */ 0x5d: (m) => m.push({ kind: 'list', items: [] }),
  /* APPEND           */ 0x61: (m) => append(m, [m.pop()]),
  /* APPENDS          */ 0x65: (m) => append(m, m.popToMark()),
  /* EMPTY_DICT       */ 0x7d: (m) => m.push({ kind: 'map', entries: [] }),
  /* SETITEM          */ 0x73: (m) => setItems(m, [m.pop(), m.pop()].reverse()),
  /* SETITEMS         */ 0x75: (m) => setItems(m, m.popToMark()),
  /* BINPUT           */ 0x71: (m) => m.memo.set(m.unsigned(1), m.top()),
  /* LONG_BINPUT      */ 0x72: (m) => m.memo.set(m.unsigned(4), m.top()),
  /* MEMOIZE          */ 0x94: (m) => m.memo.set(m.memo.size, m.top()),
  /* BINGET           */ 0x68: (m) => recall(m, m.unsigned(1)),
  /* LONG_BINGET      */ 0x6a: (m) => recall(m, m.unsigned(4)),
  /* GLOBAL           */ 0x63: (m) => pushGlobal(m, m.line(), m.line()),
  /* STACK_GLOBAL     */ 0x93: (m) => {
    const name = m.pop();
    pushGlobal(m, m.pop(), name);
  },
  /* REDUCE           */ 0x52: reduce,
  /* BUILD            */ 0x62: build,
  /* BINPERSID        */ 0x51: (m) => m.push(storageOf(m.pop(), m.path)),
};
