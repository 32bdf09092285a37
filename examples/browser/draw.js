// The canvas a digit is drawn on, with a pointer or from the keyboard. It says when the ink changes and when a stroke ends.

const width = 280;
const brush = 22;

/** How far an arrow key moves the pen. */
const stride = 10;

/** @typedef {{ x: number, y: number }} Point */

const arrows = /** @type {Readonly<Record<string, Point>>} */ ({
  ArrowLeft: { x: -stride, y: 0 },
  ArrowRight: { x: stride, y: 0 },
  ArrowUp: { x: 0, y: -stride },
  ArrowDown: { x: 0, y: stride },
});

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} pen what shows where the keyboard's pen is
 * @param {{ onInk: () => void, onStart: () => void, onEnd: () => void }} events `onStart`: a person begins a stroke
 */
export function createDrawing(canvas, pen, { onInk, onStart, onEnd }) {
  canvas.width = width;
  canvas.height = width;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser has no canvas');
  context.lineWidth = brush;
  context.lineCap = 'round';
  context.lineJoin = 'round';

  /** Ink takes the colour of the text; what is drawn is recoloured when that changes with the theme. */
  const recolour = () => {
    const { color } = getComputedStyle(canvas);
    context.strokeStyle = color;
    context.fillStyle = color;
    context.globalCompositeOperation = 'source-in';
    context.fillRect(0, 0, width, width);
    context.globalCompositeOperation = 'source-over';
  };
  recolour();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);

  /** @param {Point} from @param {Point} to */
  const line = (from, to) => {
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    onInk();
  };
  const clear = () => {
    context.clearRect(0, 0, width, width);
    onInk();
    onEnd();
  };
  followPointer(canvas, line, onStart, onEnd);
  followKeys(canvas, pen, { line, onStart, onEnd, clear });

  return {
    clear,
    /** How much ink each pixel holds, 0 to 255. */
    ink() {
      const { data } = context.getImageData(0, 0, width, width);
      return { ink: data.filter((_, i) => i % 4 === 3), width, height: width };
    },
    /**
     * Draws a square picture of bytes in place of what is there.
     * @param {Uint8Array} picture
     * @param {number} side
     */
    async show(picture, side) {
      const pixels = new ImageData(side, side);
      picture.forEach((value, i) => (pixels.data[4 * i + 3] = value));
      const bitmap = await createImageBitmap(pixels);
      context.clearRect(0, 0, width, width);
      context.drawImage(bitmap, 0, 0, width, width);
      recolour();
      onInk();
      onEnd();
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(from: Point, to: Point) => void} line
 * @param {() => void} onStart
 * @param {() => void} onEnd
 */
function followPointer(canvas, line, onStart, onEnd) {
  /** @type {Map<number, Point>} where each finger was last */
  const last = new Map();
  /** @param {PointerEvent} event @returns {Point} */
  const at = (event) => {
    const { left, top, width: shown } = canvas.getBoundingClientRect();
    const scale = width / shown;
    return { x: (event.clientX - left) * scale, y: (event.clientY - top) * scale };
  };
  /** @param {PointerEvent} event */
  const end = (event) => {
    if (last.delete(event.pointerId)) onEnd();
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    last.set(event.pointerId, at(event));
    onStart();
    line(at(event), at(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    // A browser gives one event a frame; what lies between is in it too.
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) {
      const from = last.get(event.pointerId);
      if (from === undefined) return;
      const to = at(move);
      line(from, to);
      last.set(event.pointerId, to);
    }
  });
  canvas.addEventListener('pointerup', end);
  canvas.addEventListener('pointercancel', end);
}

/**
 * Arrow keys move a pen, the space bar lowers and lifts it, Delete clears.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} pen
 * @param {{ line: (from: Point, to: Point) => void, onStart: () => void, onEnd: () => void, clear: () => void }} events
 */
function followKeys(canvas, pen, { line, onStart, onEnd, clear }) {
  let place = { x: width / 2, y: width / 4 };
  let isDown = false;
  const show = () => {
    pen.style.left = `${(100 * place.x) / width}%`;
    pen.style.top = `${(100 * place.y) / width}%`;
    pen.classList.toggle('down', isDown);
  };
  const lift = () => {
    if (isDown) onEnd();
    isDown = false;
    show();
  };
  show();
  canvas.addEventListener('blur', lift);
  canvas.addEventListener('keydown', (event) => {
    const move = arrows[event.key];
    if (move !== undefined) {
      /** @param {number} value */
      const inside = (value) => Math.min(width - brush / 2, Math.max(brush / 2, value));
      const to = { x: inside(place.x + move.x), y: inside(place.y + move.y) };
      if (isDown) line(place, to);
      place = to;
    } else if (event.key === ' ') {
      if (isDown) onEnd();
      else {
        onStart();
        line(place, place);
      }
      isDown = !isDown;
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      lift();
      clear();
    } else return;
    event.preventDefault();
    show();
  });
}
