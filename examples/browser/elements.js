// The elements of index.html, by their ids.

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function find(id, type) {
  const element = document.getElementById(id);
  // An SVG element is an Element, of which TypeScript does not know that it can come from here.
  const found = /** @type {Element | null} */ (element);
  if (found instanceof type) return found;
  throw new Error(`index.html has no ${type.name} called ${id}`);
}

export const elements = {
  programs: find('programs', HTMLElement),
  source: find('source', HTMLAnchorElement),
  code: find('code', HTMLAnchorElement),
  notice: find('notice', HTMLElement),
  noticeTitle: find('notice-title', HTMLElement),
  noticeHelp: find('notice-help', HTMLElement),
  noticeDetail: find('notice-detail', HTMLElement),
  again: find('again', HTMLButtonElement),

  train: find('train', HTMLButtonElement),
  over: find('over', HTMLButtonElement),
  save: find('save', HTMLButtonElement),
  status: find('status', HTMLElement),
  loading: find('loading', HTMLProgressElement),
  epoch: find('epoch', HTMLElement),
  step: find('step', HTMLElement),
  loss: find('loss', HTMLElement),
  accuracy: find('accuracy', HTMLElement),
  pace: find('pace', HTMLElement),
  lossCurve: find('loss-curve', SVGSVGElement),
  accuracyCurve: find('accuracy-curve', SVGSVGElement),

  clear: find('clear', HTMLButtonElement),
  sample: find('sample', HTMLButtonElement),
  truth: find('truth', HTMLElement),
  drawing: find('drawing', HTMLCanvasElement),
  pen: find('pen', HTMLElement),
  hint: find('hint', HTMLElement),
  verdict: find('verdict', HTMLElement),
  seen: find('seen', HTMLCanvasElement),
  bars: find('bars', HTMLOListElement),
  said: find('said', HTMLElement),
  weights: find('weights', HTMLFieldSetElement),
  beingTrained: find('being-trained', HTMLInputElement),
  learnt: find('learnt', HTMLInputElement),

  device: find('device', HTMLElement),
};
