// Half precision on devices without it, such as SwiftShader: a kernel that enables f16 is written anew, its arrays of halves as words of two.
// They lie in memory as with the feature, element by element, and what is stored is rounded to the nearest.

/** The kernel as it is where it takes no f16; fails on any use of f16 but the compiler's: arrays, whose elements are read as f32 and written as f16. */
export function withoutHalves(code: string): string {
  if (!code.includes('enable f16;')) return code;
  const arrays = [...code.matchAll(/var<storage, (read|read_write)> (\w+): array<f16>;/g)].map(
    ([, access, name]) => ({ access, name }),
  );
  const names = arrays.map(({ name }) => name);
  const lines = code
    .replace('enable f16;', '')
    .replaceAll(
      /(var<storage, read(_write)?> \w+): array<f16>;/g,
      (_, head: string, isWritten?: string) =>
        `${head}: array<${isWritten === undefined ? 'u32' : 'atomic<u32>'}>;`,
    )
    .split('\n')
    .map((line) => rewritten(line, names));
  const result = lines.join('\n');
  if (/\bf16\b/.test(result) || names.some((name) => result.includes(`${name}[`)))
    throw new Error(`halves are left in\n${result}`);
  return `${result}\n${[half, ...arrays.map(accessors)].join('\n')}\n`;
}

function rewritten(line: string, names: readonly string[]): string {
  for (const name of names) {
    const store = new RegExp(`^(\\s*)${name}\\[`).exec(line);
    if (store === null) continue;
    const [open] = store;
    const end = closing(line, open.length);
    const value = / = f16\((.*)\);$/.exec(line.slice(end + 1))?.[1] ?? line;
    const operands = [line.slice(open.length, end), value].map((text) => rewritten(text, names));
    return `${store[1]}store_${name}(${operands.join(', ')});`;
  }
  for (const name of names) {
    const head = `f32(${name}[`;
    const start = line.search(new RegExp(`\\bf32\\(${name}\\[`));
    if (start < 0) continue;
    const end = closing(line, start + head.length);
    const index = rewritten(line.slice(start + head.length, end), names);
    const rest = line.slice(end + 2);
    return rewritten(`${line.slice(0, start)}load_${name}(${index})${rest}`, names);
  }
  return line;
}

/** Where the bracket closes whose inside begins at `from`. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']') depth--;
    if (depth === 0) return i;
  }
  throw new Error(`no bracket closes in ${text}`);
}

/** By the bits, since `pack2x16float` leaves what is very small or too large to the driver. */
const half = `
fn half_of(x: f32) -> u32 {
  let sign = (bitcast<u32>(x) >> 16u) & 0x8000u;
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  if (bits > 0x7f800000u) {
    return 0x7e00u;
  }
  if (bits >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (bits < 0x38800000u) {
    return sign | u32(round(abs(x) * 16777216.0));
  }
  return sign | ((bits - 0x38000000u + 0xfffu + ((bits >> 13u) & 1u)) >> 13u);
}`;

/** Neighbours that share a word are written at once, so each changes its own bits alone. */
const accessors = ({ name, access }: { readonly name: string; readonly access: string }): string =>
  access === 'read'
    ? `
fn load_${name}(at: u32) -> f32 {
  return unpack2x16float(${name}[at / 2u])[at % 2u];
}`
    : `
fn load_${name}(at: u32) -> f32 {
  return unpack2x16float(atomicLoad(&${name}[at / 2u]))[at % 2u];
}
fn store_${name}(at: u32, x: f32) {
  let shift = 16u * (at % 2u);
  atomicAnd(&${name}[at / 2u], ~(0xffffu << shift));
  atomicOr(&${name}[at / 2u], half_of(x) << shift);
}`;
