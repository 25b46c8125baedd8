import { badRequest } from './body.ts';

/** A table that came as a CSV file (RFC 4180): a header of attribute names, then a resource a line. */
export class CsvTable {
  readonly header: readonly string[];
  readonly lines: readonly (readonly string[])[];

  constructor(header: readonly string[], lines: readonly (readonly string[])[]) {
    this.header = header;
    this.lines = lines;
  }

  /** The resources; an empty cell says nothing of its attribute. */
  items(): readonly Readonly<Record<string, string>>[] {
    return this.lines.map((cells, index) => {
      if (cells.length !== this.header.length) {
        throw badRequest(`Line ${index + 2} of the file has ${cells.length} cells, its header ${this.header.length}.`);
      }
      return Object.fromEntries(
        this.header.flatMap((name, column) => {
          const cell = cells[column] ?? '';
          return cell === '' ? [] : [[name, cell]];
        }),
      );
    });
  }
}

/** A cell and what ends it: quoted with quotes doubled, or plain up to a comma or the end of the line. */
const cellExpression = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/** Reads a CSV file; refuses what is none. Blank lines are passed over. */
export function parseCsv(text: string): CsvTable {
  const lines: string[][] = [];
  let line: string[] = [];
  cellExpression.lastIndex = text.startsWith('\uFEFF') ? 1 : 0;
  while (cellExpression.lastIndex < text.length) {
    const at = cellExpression.lastIndex;
    const [whole, quoted, plain = '', end] = cellExpression.exec(text) ?? [];
    if (whole === undefined) throw badRequest(`Malformed CSV: a quote is out of place at character ${at + 1}.`);
    line.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    if (end === ',' && cellExpression.lastIndex < text.length) continue;
    if (end === ',') line.push('');
    if (line.length > 1 || line[0] !== '') lines.push(line);
    line = [];
  }
  const [header, ...rest] = lines;
  if (header === undefined) throw badRequest('The file is empty.');
  const twin = header.find((name, index) => header.indexOf(name) !== index);
  if (twin !== undefined) throw badRequest(`The header of the file names '${twin}' twice.`);
  return new CsvTable(header, rest);
}
