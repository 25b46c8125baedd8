import pc from 'picocolors';

/** One line of progress, for people; standard output is for results. */
export function progress(message: string): void {
  process.stderr.write(`${pc.dim('alcor')} ${message}\n`);
}

/** A table for terminals: columns as wide as their widest cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [pc.bold(line(header)), ...rows.map(line)].join('\n');
}
