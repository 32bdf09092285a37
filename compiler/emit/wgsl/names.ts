// Names in WGSL: source paths made identifiers, none of which is a reserved word or hides a function that kernels call.

/** Keywords, reserved words (WGSL, sections 15 and 16.1) and the built-in names that kernels use. */
const taken = new Set(
  `alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while NULL Self abstract active alignas alignof as asm asm_fragment async
  attribute auto await become binding_array cast catch class co_await co_return co_yield coherent column_major common compile
  compile_fragment concept const_cast consteval constexpr constinit crate debugger decltype delete demote demote_to_helper do
  dynamic_cast enum explicit export extends extern external fallthrough filter final finally friend from fxgroup get goto
  groupshared highp impl implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod
  module move mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null
  nullptr of operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public
  readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm static
  static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid
  typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield
  f32 f16 i32 u32 bool array vec2 vec3 vec4 vec2u vec3u vec4u vec4f atomic ptr storage uniform workgroup private function
  read write read_write dims id group lane subgroup_lane subgroup_lanes subgroups
  abs acos all any atan bitcast ceil clamp cos dot exp exp2 floor fma fract log log2 max min pow round select sign sin sqrt step
  tanh trunc workgroupBarrier arrayLength
  infinity not_a_number is_nan maximum minimum sign_of logarithm square_root inverse_square_root exponential expm1 log1p
  hyperbolic_tangent logistic erf quadrant in_quadrant sine_within cosine_within sine cosine power remainder angle
  threefry2x32`.split(/\s+/),
);

/** `net.l1.W` as `net_l1_W`. */
export function identifier(text: string): string {
  const plain = text.replaceAll(/[^\p{L}\p{N}_]+/gu, '_').replace(/^_+/, '');
  const named = /^\p{L}/u.test(plain) ? plain : `v${plain}`;
  return taken.has(named) ? `${named}_` : named;
}

/** Gives each name once: `x`, `x_2`, `x_3`. */
export function uniqueNames(): (hint: string) => string {
  const given = new Map<string, number>();
  const used = new Set<string>();
  return (hint) => {
    const base = identifier(hint);
    let name = base;
    for (let n = given.get(base) ?? 1; used.has(name); n++) {
      given.set(base, n);
      name = `${base}_${n + 1}`;
    }
    used.add(name);
    return name;
  };
}
