/**
 * When the whole machine stood still while a benchmark ran, as `scripts/watch-standstills.mjs` has seen it: a virtual machine that is not given its
 * processors answers nobody, whatever runs on it.
 */
import { readFileSync } from 'node:fs';

/** In ms since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** So far; none where nobody watches. What a queue has gathered meanwhile is late for a while after. */
export function standstills(): Span[] {
  const file = process.env['ALCOR_STANDSTILLS'];
  if (file === undefined) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [from, to] = line.split(' ').map(Number) as [number, number];
    return { from, to };
  });
}

/** How much of a span the machine stood still, in ms. */
export function stoodStillMs(span: Span, among: readonly Span[] = standstills()): number {
  return among.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)), 0);
}
