// The linear algebra module: faer (Rust) compiled to WebAssembly.
// The compiled file is kept in the repository, because its build needs a Rust toolchain with
// the standard library's sources; `--rebuild` makes it anew and `--verify` compares the two.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  cpSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../server/compute/linalg/', import.meta.url));
const compiled = `${folder}faer.wasm`;
const generated = `${folder}faer.generated.ts`;

/** Writes the bytes as a TypeScript module, so that every bundle and test finds them without a path. */
export function embedLinearAlgebra() {
  const text = `/** The bytes of faer.wasm, by scripts/linalg.mjs. */\nexport const faerBytes =\n  '${readFileSync(compiled).toString('base64')}';\n`;
  if (!existsSync(generated) || readFileSync(generated, 'utf8') !== text)
    writeFileSync(generated, text);
}

/** Compiles `faer/` in a temporary copy and returns the path of the module. */
function compile() {
  const work = mkdtempSync(join(tmpdir(), 'mergevla-linalg-'));
  cpSync(`${folder}faer`, work, { recursive: true });
  // The lock file is kept without the registry's address; cargo wants it back.
  const lock = readFileSync(`${folder}faer/Cargo.lock.txt`, 'utf8');
  const source = cratesIndex();
  writeFileSync(
    join(work, 'Cargo.lock'),
    lock.replace(/^(checksum = )/gm, `source = "${source}"\n$1`),
  );
  // Paths of sources are in the panic messages; they are named after the crates alone.
  execFileSync('cargo', ['fetch', '--locked'], { cwd: work, stdio: 'inherit' });
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src');
  const remaps = readdirSync(sources).map(
    (name) => `--remap-path-prefix=${join(sources, name)}=/cargo`,
  );
  const env = {
    ...process.env,
    RUSTC_BOOTSTRAP: '1',
    RUSTFLAGS: `-C target-feature=+simd128 --remap-path-prefix=${work}=/source ${remaps.join(' ')}`,
  };
  const args = ['build', '--release', '--locked', '--target', 'wasm32-unknown-unknown'];
  args.push('-Zbuild-std=std,panic_abort', '-Zbuild-std-features=');
  const result = spawnSync('cargo', args, { cwd: work, env, stdio: 'inherit' });
  if (result.status !== 0) throw new Error('cargo failed; see faer/README.md for what it needs');
  return { work, file: join(work, 'target/wasm32-unknown-unknown/release/mergevla_linalg.wasm') };
}

/** The name cargo gives its default registry in lock files, asked of cargo itself. */
function cratesIndex() {
  const probe = mkdtempSync(join(tmpdir(), 'mergevla-probe-'));
  writeFileSync(
    join(probe, 'Cargo.toml'),
    '[package]\nname = "probe"\nversion = "0.0.0"\n[lib]\npath = "lib.rs"\n[dependencies]\ncfg-if = "1"\n',
  );
  writeFileSync(join(probe, 'lib.rs'), '');
  execFileSync('cargo', ['generate-lockfile'], { cwd: probe, stdio: 'ignore' });
  const found = /source = "([^"]+)"/.exec(readFileSync(join(probe, 'Cargo.lock'), 'utf8'));
  rmSync(probe, { recursive: true });
  if (!found) throw new Error('cargo wrote a lock file without a registry');
  return found[1];
}

const hash = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { work, file } = compile();
  if (process.argv.includes('--verify')) {
    const same = hash(file) === hash(compiled);
    console.log(
      same
        ? 'faer.wasm is what its source compiles to'
        : 'faer.wasm differs from its source (or the toolchain does)',
    );
    process.exitCode = same ? 0 : 1;
  } else {
    cpSync(file, compiled);
    embedLinearAlgebra();
  }
  rmSync(work, { recursive: true });
}
