import { OpenFlowError } from '../errors.ts';

/** Numbers of the specification and the words this library uses for them. */
export type Words<T extends string> = {
  /** The number of a word; a number stands for itself. */
  code(word: T | number): number;
  /** The word of a number, or the number where there is none. */
  word(code: number): T | number;
  /** The words of the bits that are set; bits without a word are dropped. */
  bits(code: number): T[];
  /** The bits of some words. */
  mask(words: readonly T[] | undefined): number;
};

export function words<T extends string>(table: Readonly<Record<T, number>>): Words<T> {
  const codes = new Map<string, number>(Object.entries<number>(table));
  const names = new Map<number, T>(Object.entries<number>(table).map(([name, number]) => [number, name as T]));
  function code(word: T | number): number {
    const found = typeof word === 'number' ? word : codes.get(word);
    if (found === undefined) throw new OpenFlowError('bad_value', `unknown word ${word}`);
    return found;
  }
  return {
    code,
    word: (number) => names.get(number) ?? number,
    bits: (set) => [...names].filter(([bit]) => (set & bit) !== 0).map(([, name]) => name),
    mask: (list) => (list === undefined ? 0 : list.reduce((set, word) => set | code(word), 0)),
  };
}
