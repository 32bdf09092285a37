// The ten probabilities as bars, and the digit that is likeliest.

/**
 * @param {HTMLOListElement} list
 * @param {HTMLElement} verdict
 */
export function createBars(list, verdict) {
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const row = document.createElement('li');
    row.innerHTML = `<span>${digit}</span><div class="track"><div class="fill"></div></div><span class="percent"></span>`;
    list.append(row);
    return { row, percent: /** @type {HTMLElement} */ (row.lastElementChild) };
  });
  return {
    /** Shows `probabilities`, or nothing, and returns the likeliest digit.
     * @param {ArrayLike<number> | null} probabilities */
    show(probabilities) {
      const values = probabilities === null ? null : Array.from(probabilities);
      const best = values === null ? -1 : values.indexOf(Math.max(...values));
      rows.forEach(({ row, percent }, digit) => {
        const value = values?.[digit] ?? 0;
        row.classList.toggle('best', digit === best);
        row.style.setProperty('--part', value.toFixed(4));
        percent.textContent = values === null ? '' : `${(100 * value).toFixed(1)}%`;
      });
      verdict.textContent = best < 0 ? '' : String(best);
      return best;
    },
  };
}
