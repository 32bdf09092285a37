export function draw(seed: number, count: number, low: number): Float32Array<ArrayBuffer>;
