// MNIST: reads the files by streaming, only as far as they are wanted, and puts batches together.
// An IDX file is two zero bytes, the type of the elements, the number of axes, the sizes as big-endian u32, and the elements.

/** @typedef {{ rows: number, shape: readonly number[], data: Uint8Array }} Idx */
/** @typedef {{ rows: number, images: Uint8Array, labels: Uint8Array, pixels: number }} Digits */

const bytesOfElements = 0x08;

/**
 * The header of an IDX file of bytes, once `bytes` reaches that far; null before.
 * @param {string} name
 * @param {Uint8Array} bytes
 */
export function readHeader(name, bytes) {
  if (bytes.length < 4) return null;
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== bytesOfElements || bytes[3] === 0)
    throw new Error(`${name} is not an IDX file of bytes: its first four bytes differ`);
  const start = 4 + 4 * bytes[3];
  if (bytes.length < start) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: bytes[3] }, (_, i) => view.getUint32(4 + 4 * i));
  return { start, shape, rowBytes: shape.slice(1).reduce((a, b) => a * b, 1) };
}

/**
 * Reads at most `most` rows from `chunks`, and no further.
 * @param {string} name
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number} most
 * @param {(part: number) => void} onProgress the part that is read, 0 to 1
 * @returns {Promise<Idx>}
 */
export async function readIdx(name, chunks, most = Infinity, onProgress = () => {}) {
  /** @type {Uint8Array<ArrayBuffer>} */
  let head = new Uint8Array(0);
  /** @type {Idx | null} */
  let idx = null;
  let filled = 0;
  /** @param {Uint8Array} part */
  const take = (part) => {
    if (idx === null) return;
    const rest = part.subarray(0, idx.data.length - filled);
    idx.data.set(rest, filled);
    filled += rest.length;
    onProgress(filled / idx.data.length);
  };
  for await (const chunk of chunks) {
    if (idx === null) {
      head = joined(head, chunk);
      const header = readHeader(name, head);
      if (header === null) continue;
      const { start, shape, rowBytes } = header;
      const rows = Math.min(most, shape[0]);
      idx = { rows, shape: [rows, ...shape.slice(1)], data: new Uint8Array(rows * rowBytes) };
      take(head.subarray(start));
    } else take(chunk);
    if (idx !== null && filled === idx.data.length) return idx;
  }
  throw new Error(`${name} is cut short: fetch it again`);
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function joined(a, b) {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/**
 * The chunks of a response; leaving the loop early ends the transfer.
 * @param {string} url
 */
async function* chunksOf(url) {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new MissingFile(url);
  const reader = response.body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

/** A file that the server does not have. */
export class MissingFile extends Error {
  /** @param {string} url */
  constructor(url) {
    super(`${url} is missing`);
  }
}

/**
 * Images and labels of one kind, `train` or `t10k`.
 * @param {string} folder
 * @param {string} kind
 * @param {number} most
 * @param {(part: number) => void} onProgress
 * @returns {Promise<Digits>}
 */
export async function fetchDigits(folder, kind, most, onProgress = () => {}) {
  const names = [`${kind}-images-idx3-ubyte`, `${kind}-labels-idx1-ubyte`];
  const [images, labels] = await Promise.all(
    names.map((name, i) =>
      readIdx(name, chunksOf(`${folder}/${name}`), most, i === 0 ? onProgress : undefined),
    ),
  );
  if (images.rows !== labels.rows)
    throw new Error(`${names[0]} holds ${images.rows} images, ${names[1]} ${labels.rows} labels`);
  const pixels = images.shape.slice(1).reduce((a, b) => a * b, 1);
  return { rows: images.rows, images: images.data, labels: labels.data, pixels };
}

/**
 * The inputs of a step: pixels from 0 to 1 and labels, of the rows that `order` names from `from` to before `to`.
 * @param {Digits} digits
 * @param {Uint32Array} order
 * @param {number} from
 * @param {number} to
 */
export function takeBatch({ images, labels, pixels }, order, from, to) {
  const x = new Float32Array((to - from) * pixels);
  const y = new Int32Array(to - from);
  order.subarray(from, to).forEach((row, i) => {
    for (let k = 0; k < pixels; k++) x[i * pixels + k] = images[row * pixels + k] / 255;
    y[i] = labels[row];
  });
  return { x, y };
}
