// How wide source text is on a terminal, and source text made safe to print: for carets that stand under what they mean.

const TAB = 4;

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// East Asian wide and fullwidth characters, and emoji.
const WIDE =
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation})$/u;

const widthOf = (character: string): number =>
  ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;

/** Control characters by a visible stand-in, so that no source can steer the terminal. */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '\uFFFD');

/** The columns that `text` takes when it starts at the left margin; tabs go to the next multiple of 4. */
export function columnsOf(text: string): number {
  let at = 0;
  for (const character of printable(text))
    at += character === '\t' ? TAB - (at % TAB) : widthOf(character);
  return at;
}

/** `text` as it is printed: tabs as the spaces that `columnsOf` counts. */
export function expanded(text: string): string {
  let [result, at] = ['', 0];
  for (const character of printable(text)) {
    const spaces = character === '\t' ? TAB - (at % TAB) : 0;
    result += spaces > 0 ? ' '.repeat(spaces) : character;
    at += spaces > 0 ? spaces : widthOf(character);
  }
  return result;
}
