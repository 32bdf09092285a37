// Intervals of reals, open or closed at each end, for what an expression can be. An end that a function
// comes near but never reaches, as 0 of exp, is open.

export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly lowOpen: boolean;
  readonly highOpen: boolean;
  /** 0 is left out although it lies inside. */
  readonly withoutZero: boolean;
}

export const anything: Interval = {
  low: -Infinity,
  high: Infinity,
  lowOpen: true,
  highOpen: true,
  withoutZero: false,
};

export const point = (value: number): Interval => between(value, value);

/** The closed interval; infinite ends are open. */
export const between = (low: number, high: number): Interval => ({
  low,
  high,
  lowOpen: low === -Infinity,
  highOpen: high === Infinity,
  withoutZero: false,
});

export const openBetween = (low: number, high: number): Interval => ({
  ...between(low, high),
  lowOpen: true,
  highOpen: true,
});

export const contains = (interval: Interval, value: number): boolean => {
  const { low, high, lowOpen, highOpen, withoutZero } = interval;
  if (value === 0 && withoutZero) return false;
  return (
    (value > low || (value === low && !lowOpen)) && (value < high || (value === high && !highOpen))
  );
};

export const isPositive = ({ low, lowOpen, withoutZero }: Interval): boolean =>
  low > 0 || (low === 0 && (lowOpen || withoutZero));

export const isNegative = (interval: Interval): boolean => isPositive(negated(interval));

/** Everything in one of them. */
export function hull(a: Interval, b: Interval): Interval {
  const [low, high] = [Math.min(a.low, b.low), Math.max(a.high, b.high)];
  return {
    low,
    high,
    lowOpen: (a.low > low || a.lowOpen) && (b.low > low || b.lowOpen),
    highOpen: (a.high < high || a.highOpen) && (b.high < high || b.highOpen),
    withoutZero: !contains(a, 0) && !contains(b, 0),
  };
}

export const negated = (a: Interval): Interval => ({
  low: -a.high,
  high: -a.low,
  lowOpen: a.highOpen,
  highOpen: a.lowOpen,
  withoutZero: a.withoutZero,
});

export const sum = (a: Interval, b: Interval): Interval => ({
  low: a.low + b.low,
  high: a.high + b.high,
  lowOpen: a.lowOpen || b.lowOpen,
  highOpen: a.highOpen || b.highOpen,
  withoutZero: false,
});

interface End {
  readonly value: number;
  readonly open: boolean;
}

/** An end is reached where both factors reach theirs, or one is 0 and reaches that. */
function productOfEnds(a: End, b: End): End {
  if (a.value === 0 || b.value === 0) {
    const reached = (a.value === 0 && !a.open) || (b.value === 0 && !b.open);
    return { value: 0, open: !reached };
  }
  return { value: a.value * b.value, open: a.open || b.open };
}

export function product(a: Interval, b: Interval): Interval {
  const endsOf = (i: Interval): readonly End[] => [
    { value: i.low, open: i.lowOpen },
    { value: i.high, open: i.highOpen },
  ];
  const corners = endsOf(a).flatMap((x) => endsOf(b).map((y) => productOfEnds(x, y)));
  const low = Math.min(...corners.map((c) => c.value));
  const high = Math.max(...corners.map((c) => c.value));
  return {
    low,
    high,
    lowOpen: corners.every((c) => c.value > low || c.open),
    highOpen: corners.every((c) => c.value < high || c.open),
    withoutZero: !contains(a, 0) && !contains(b, 0),
  };
}

/** 1 / a; anything where a may be 0. */
export function reciprocal(a: Interval): Interval {
  if (!isPositive(a) && !isNegative(a)) return contains(a, 0) ? anything : nonZero;
  // 1 / 0 at an open end is an infinite one, of the sign of the other side.
  const [low, high] = isPositive(a)
    ? [1 / a.high, a.low === 0 ? Infinity : 1 / a.low]
    : [a.high === 0 ? -Infinity : 1 / a.high, 1 / a.low];
  return { low, high, lowOpen: a.highOpen, highOpen: a.lowOpen, withoutZero: true };
}

export const nonZero: Interval = { ...anything, withoutZero: true };

/** What an increasing function makes of an interval; it comes near `limits` and never reaches them. */
export function increasing(
  f: (x: number) => number,
  a: Interval,
  limits: Interval = anything,
): Interval {
  const [low, high] = [f(a.low), f(a.high)];
  return {
    low: Math.max(low, limits.low),
    high: Math.min(high, limits.high),
    lowOpen: a.lowOpen || low <= limits.low,
    highOpen: a.highOpen || high >= limits.high,
    withoutZero: false,
  };
}

/** As `increasing`, for a function that is 0 at 0 alone. */
export const signKeeping = (
  f: (x: number) => number,
  a: Interval,
  limits: Interval = anything,
): Interval => ({ ...increasing(f, a, limits), withoutZero: !contains(a, 0) });

export function magnitude(a: Interval): Interval {
  if (isPositive(a) || a.low >= 0) return a;
  if (isNegative(a) || a.high <= 0) return negated(a);
  const [far, open] =
    a.high > -a.low
      ? [a.high, a.highOpen]
      : [-a.low, a.high === -a.low ? a.lowOpen && a.highOpen : a.lowOpen];
  return { low: 0, high: far, lowOpen: a.withoutZero, highOpen: open, withoutZero: a.withoutZero };
}

/** The sum of one or more numbers that are each in it. */
export const sumOfMany = (a: Interval): Interval => ({
  ...a,
  low: a.low >= 0 ? a.low : -Infinity,
  high: a.high <= 0 ? a.high : Infinity,
  lowOpen: a.low < 0 || a.lowOpen,
  highOpen: a.high > 0 || a.highOpen,
  withoutZero: isPositive(a) || isNegative(a),
});

/** The larger of two numbers. */
export function larger(a: Interval, b: Interval): Interval {
  const low = Math.max(a.low, b.low);
  const high = Math.max(a.high, b.high);
  return {
    low,
    high,
    lowOpen: (a.low === low && a.lowOpen) || (b.low === low && b.lowOpen),
    highOpen: (a.high < high || a.highOpen) && (b.high < high || b.highOpen),
    withoutZero: !contains(a, 0) && !contains(b, 0),
  };
}

export const smaller = (a: Interval, b: Interval): Interval =>
  negated(larger(negated(a), negated(b)));
