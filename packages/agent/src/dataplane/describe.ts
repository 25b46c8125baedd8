/** The data plane's state as people read it. */
import type { ResourceOutcome } from './resources.ts';
import type { PluggedInterface } from './switch.ts';

export interface DataplaneDescription {
  readonly switch: string;
  readonly connected: boolean;
  readonly tunnelPort: number | null;
  readonly tables: readonly { readonly id: number; readonly name: string; readonly flows: number }[];
  readonly ports: readonly {
    readonly id: string;
    readonly vni: number;
    readonly mac: string;
    readonly ips: readonly string[];
    /** Null while unplugged. */
    readonly plugged: PluggedInterface | null;
    readonly status: ResourceOutcome['status'];
    readonly reason: string;
  }[];
  readonly neighbors: number;
  readonly flows: {
    readonly present: number;
    readonly foreign: number;
    readonly pending: number;
    readonly refused: number;
  };
}

/** Tables of text: the switch, its tables with their flows, the ports with their state. */
export function describeText(state: DataplaneDescription): string {
  const { present, foreign, pending, refused } = state.flows;
  return [
    `${state.switch}: ${state.connected ? 'connected' : 'away'}, tunnel port ${state.tunnelPort ?? 'missing'}`,
    `flows: ${present} present, ${foreign} of nobody, ${pending} pending, ${refused} refused; ${state.neighbors} neighbours`,
    '',
    table(
      ['table', 'name', 'flows'],
      state.tables.map(({ id, name, flows }) => [String(id), name, String(flows)]),
    ),
    '',
    table(['port', 'vni', 'mac', 'addresses', 'interface', 'ofport', 'status', 'reason'], state.ports.map(portRow)),
  ].join('\n');
}

function portRow(port: DataplaneDescription['ports'][number]): string[] {
  const { id, vni, mac, ips, plugged, status, reason } = port;
  const rivals = plugged?.rivals.length ? ` (also claimed by ${plugged.rivals.join(', ')})` : '';
  const at = plugged === null ? ['-', '-'] : [plugged.name + rivals, String(plugged.ofport)];
  return [id, String(vni), mac, ips.join(' '), ...at, status, reason];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
