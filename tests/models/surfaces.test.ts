// Implicit surfaces (stdlib/surfaces.dlg): spheres have closed forms; the gradient of a pixel against differences.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { program, run, seeded, wavy } from '../elaborate/compile-text.ts';
import { everywhere } from './executors.ts';

const points = (...rows: number[][]): Tensor => tensor('f32', [rows.length, 3], rows.flat(), 'f64');

const scalar = (x: number): Tensor => tensor('f32', [], [x], 'f64');

const sphere = `import "std/surfaces"
fn ball(x: [N, 3], r: real) -> d: [N] { d[n] = sqrt(sum[k] x[n, k]^2 + 1e-12) - r }
model Ball() {
  param r: real = 1
  fn (x: [N, 3]) -> d: [N] = ball(x, r)
}
layer net = Ball()
`;

describe('of a sphere', () => {
  it('the field is a distance: the eikonal term is 0, the normals are those of the sphere', () => {
    const { graph } = program(`${sphere}
export fn f(x: [N, 3]) -> (L: [N], m: [N, 3]) {
  L = eikonal(net, x)
  m = normals(net, x)
}`).functions[0];
    const { L, m } = run(graph, { x: points([2, 0, 0], [0, 3, 4]), 'net.r': scalar(1) });
    for (const value of L.data) expect(value).toBeCloseTo(0, 9);
    [1, 0, 0, 0, 0.6, 0.8].forEach((value, i) => expect(m.data[i]).toBeCloseTo(value, 6));
  });

  it('twice a distance is not one', () => {
    const { graph } = program(`${sphere}
fn doubled(x: [N, 3]) -> [N] = 2 * net(x)
export fn f(x: [N, 3]) -> L: [N] = eikonal(doubled, x)`).functions[0];
    const { L } = run(graph, { x: points([2, 0, 0]), 'net.r': scalar(1) });
    expect(L.data[0]).toBeCloseTo(1, 6);
  });

  const rays = `${sphere}
export fn f(o: [N, 3], w: [N, 3]) -> (d: [N], t: [N], g: real) {
  t = trace(net, o, w, 10, 100)
  d = intersect(net, o, w, fill(0, N), fill(3, N))
  g = grad(d[0], params(net))[0]
}`
    .replace('  g = grad(d[0], params(net))[0]\n', '')
    .replace(', g: real', '');

  it.each(everywhere)('rays meet it where they should, on $name', async (executor) => {
    const { graph } = program(rays).functions[0];
    const feeds = {
      o: points([0, 0, 3], [0.6, 0, 3], [2, 0, 3]),
      w: points([0, 0, -1], [0, 0, -1], [0, 0, -1]),
      'net.r': scalar(1),
    };
    const { d, t } = await executor.run(graph, feeds);
    [2, 3 - 0.8].forEach((value, i) => {
      expect(d.data[i]).toBeCloseTo(value, 5);
      expect(t.data[i]).toBeCloseTo(value, 4);
    });
    expect(t.data[2]).toBeCloseTo(10, 5);
    expect(d.data[2]).toBeCloseTo(3, 5);
  });
});

describe('of a network', () => {
  const text = `import "std/surfaces"
layer net = SDF(6, 0.6)
## The brightness of two pixels: how the surface at their rays' ends is turned to the light.
export fn pixels(o: [N, 3], w: [N, 3]) -> (s: real, d: [N]) {
  d = intersect(net, o, w, fill(0, N), fill(3, N))
  m = normals(net, along(o, w, d))
  s = sum[n, k] m[n, k] * [0.3, 0.5, 0.8][k]
}
optimizer Plain() {
  fn (w: [..S], g: [..S], step: int) -> [..S] = w - g
}
train t(o: [N, 3], w: [N, 3]) {
  d = intersect(net, o, w, fill(0, N), fill(3, N))
  m = normals(net, along(o, w, d))
  minimize sum[n, k] m[n, k] * [0.3, 0.5, 0.8][k] over net using Plain()
}`;

  it('the gradient of a pixel, through the intersection, is what differences have', () => {
    const { functions, trains, init } = program(text);
    const drawn = run(init, seeded(1));
    const parameters = Object.fromEntries(
      Object.entries(drawn).map(([name, value]) => [
        name,
        tensor('f32', value.shape, value.data, 'f64'),
      ]),
    );
    const feeds = {
      o: points([0.1, 0.1, 2], [-0.1, 0.05, 2]),
      w: points([0, 0, -1], [0, 0, -1]),
    };
    const { d } = run(functions[0].graph, { ...feeds, ...parameters });
    // Both rays meet the surface between the ends.
    for (const value of d.data) expect(value).toBeGreaterThan(0.01);
    for (const value of d.data) expect(value).toBeLessThan(2.9);
    const step = run(trains[0].step, { ...feeds, ...parameters, step: tensor('i32', [], [0]) });
    const shade = (name: string, i: number, by: number): number => {
      const data = parameters[name].data.slice();
      data[i] += by;
      const given = { ...feeds, ...parameters, [name]: { ...parameters[name], data } };
      return run(functions[0].graph, given)['s'].data[0];
    };
    for (const [name, { data }] of Object.entries(parameters))
      Array.from(data).forEach((value, i) => {
        const slope = (shade(name, i, 1e-5) - shade(name, i, -1e-5)) / 2e-5;
        expect(value - step[`${name}.next`].data[i], `${name}[${i}]`).toBeCloseTo(slope, 4);
      });
  });

  it('begins as a sphere, more or less', () => {
    const { functions, init } = program(`import "std/surfaces"
layer net = SDF(256, 0.5)
export fn f(x: [N, 3]) -> d: [N] = net(x)`);
    const { d } = run(functions[0].graph, {
      x: points([0, 0, 0], [0.9, 0, 0], [0, -0.9, 0], [0.5, 0.5, 0.5]),
      ...run(init, seeded(2)),
    });
    expect(d.data[0]).toBeLessThan(-0.3);
    for (const value of d.data.slice(1)) expect(value).toBeGreaterThan(0);
  });

  it('learns from points on a sphere alone to be its distance', () => {
    const { trains } = program(`import "std/surfaces"
import "std/optim"
layer net = SDF(24, 0.4)
train t(on: [N, 3]) {
  off: [N, 3] ~ uniform(-1, 1)
  minimize sdf_loss(net, on, off) over net using Adam(5e-3)
  report slope = mean[n] sqrt(eikonal(net, off)[n])
}`);
    const [{ step, init }] = trains;
    const raw = wavy([60, 3], 1);
    const rows = Array.from({ length: 60 }, (_, n) => {
      const row = [0, 1, 2].map((k) => Math.sin(37.7 * n + 11.3 * k + raw.data[3 * n + k]));
      const norm = Math.hypot(...row);
      return row.map((v) => (0.6 * v) / norm);
    });
    let state = run(init, seeded(1));
    let last: Record<string, Tensor> = {};
    for (let i = 0; i < 150; i++) {
      last = run(step, { ...state, ...seeded(1), on: points(...rows) });
      state = Object.fromEntries(Object.keys(state).map((name) => [name, last[`${name}.next`]]));
    }
    expect(last['loss'].data[0]).toBeLessThan(0.03);
    expect(last['slope'].data[0]).toBeLessThan(0.2);
  });
});
