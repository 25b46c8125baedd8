/** The table at the end of a run: how many cases of each theme held, and what is wrong with the others. */
import type { Verdict } from './run.ts';

export function tableOf(themes: ReadonlyMap<string, readonly Verdict[]>): string {
  const rows = [...themes].map(([theme, verdicts]) => {
    const held = verdicts.filter(({ wrong }) => wrong.length === 0).length;
    return [theme, String(verdicts.length), String(held), String(verdicts.length - held)];
  });
  const sum = (at: number): string => String(rows.reduce((total, row) => total + Number(row[at]), 0));
  const all = [['theme', 'cases', 'held', 'broken'], ...rows, ['all', sum(1), sum(2), sum(3)]];
  const width = Math.max(...all.map(([theme]) => theme!.length));
  const table = all.map(([theme, ...counts]) => theme!.padEnd(width) + counts.map((each) => each.padStart(8)).join(''));
  const broken = [...themes.values()].flat().filter(({ wrong }) => wrong.length > 0);
  return [...table, ...broken.map(({ name, wrong }) => `broken: ${name}: ${wrong.join('; ')}`)].join('\n');
}
