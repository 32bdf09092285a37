// "Did you mean": the name that a misspelt one was probably meant to be.

/** Insertions, deletions, replacements and swaps of neighbours that make `a` into `b` (optimal string alignment). */
function distance(a: string, b: string): number {
  const [s, t] = [[...a], [...b]];
  let beforeLast: number[] = [];
  let last = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const row = [i];
    for (let j = 1; j <= t.length; j++) {
      const cost = s[i - 1] === t[j - 1] ? 0 : 1;
      let best = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1])
        best = Math.min(best, beforeLast[j - 2] + 1);
      row.push(best);
    }
    [beforeLast, last] = [last, row];
  }
  return last[t.length];
}

/**
 * The candidate nearest to `name`, by Damerau and Levenshtein's distance, if near enough: one mistake in every three
 * characters, capitals for free. Ties go to the earlier candidate.
 */
export function suggest(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  const allowed = Math.max(1, Math.floor([...name].length / 3));
  let best: { candidate: string; at: number } | null = null;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) > allowed) continue;
    const found = distance(wanted, candidate.toLowerCase());
    // One letter for another is not a misspelling.
    const plausible =
      found <= allowed && (found === 0 || Math.min(name.length, candidate.length) > 1);
    if (plausible && (best === null || found < best.at)) best = { candidate, at: found };
  }
  return best?.candidate ?? null;
}
