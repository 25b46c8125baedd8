/** What `ofproto/trace` says of a packet's way through one bridge, up to where it asks the connection tracker. */

/** A packet as it left by a port: the flow that it had become, in the words of Open vSwitch. */
export interface Left {
  readonly port: number;
  readonly fields: Fields;
  /** Underlay address of the host that it is for, and the network, as far as they have been set: where the port is a tunnel. */
  readonly tunnelTo: string | null;
  readonly tunnelId: string | null;
}

/** A copy that goes on in a table once its connection is known. */
export interface Tracked {
  readonly table: number;
  readonly zone: number;
  readonly fields: Fields;
}

export interface Traced {
  readonly left: readonly Left[];
  /** It went back by the port that it had come in by. */
  readonly answered: Fields | null;
  readonly given: boolean;
  readonly tracked: readonly Tracked[];
  /** Zones in which its connection has been remembered, with the connection's mark. */
  readonly committed: readonly { readonly zone: number; readonly mark: string }[];
}

/** The fields of a flow in the order in which they are said; a protocol's short name has no value. */
export type Fields = ReadonlyMap<string, string>;

export function readTrace(text: string): Traced {
  const [first = '', ...resumed] = text.split(/^=+\nrecirc\(/m);
  const start = fieldsOf(/^Flow: (.*)$/m.exec(first)?.[1] ?? '');
  const said = /^Final flow: (.*)$/m.exec(first)?.[1] ?? 'unchanged';
  const end = said === 'unchanged' ? start : fieldsOf(said);
  const lines = first.split('\n');
  return {
    left: outputs(lines).map((each) => ({ ...each, fields: end })),
    answered: lines.some((line) => line.trim() === 'IN_PORT') ? end : null,
    given: lines.some((line) => /^ *(controller|CONTROLLER)/.test(line)),
    tracked: resumptions(resumed, forks(lines)),
    committed: [
      ...(/^Datapath actions: (.*)$/m.exec(first)?.[1] ?? '').matchAll(/ct\(commit,zone=(\d+),mark=(0x[0-9a-f]+)/g),
    ].map(([, zone, mark]) => ({ zone: Number(zone), mark: mark! })),
  };
}

/** Where the copies go on that this part itself has sent to the tracker; what they become is said behind, with that of their own copies. */
function forks(lines: readonly string[]): number[] {
  return lines.flatMap((line) => {
    const table = /The forked pipeline will be resumed at table (\d+)/.exec(line)?.[1];
    return table === undefined ? [] : [Number(table)];
  });
}

function resumptions(sections: readonly string[], into: readonly number[]): Tracked[] {
  return into.map((table, n) => {
    const fields = fieldsOf(/^Flow: (.*)$/m.exec(sections[n] ?? '')?.[1] ?? '');
    return { table, zone: Number(fields.get('ct_zone') ?? 0), fields };
  });
}

function outputs(lines: readonly string[]): Omit<Left, 'fields'>[] {
  const found: Omit<Left, 'fields'>[] = [];
  let tunnelTo: string | null = null;
  let tunnelId: string | null = null;
  for (const line of lines) {
    tunnelTo = /set_field:([\d.]+)->tun_dst/.exec(line)?.[1] ?? tunnelTo;
    tunnelId = /NXM_NX_TUN_ID\[\] is now (0x[0-9a-f]+)/.exec(line)?.[1] ?? tunnelId;
    const port = /^ *output:(\d+)$/.exec(line)?.[1] ?? /-> output port is (\d+)/.exec(line)?.[1];
    if (port !== undefined) found.push({ port: Number(port), tunnelTo, tunnelId });
    // An output that is none: back to where it came from, or to a port that is not there.
    else if (/>> (skipping output|Nonexistent output)/.test(line)) found.pop();
  }
  return found;
}

/** A flow as Open vSwitch writes it. */
export function fieldsOf(text: string): Fields {
  return new Map(
    text.split(',').map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

/** The flow in words that are understood for every protocol: what Open vSwitch writes short, it reads so for IPv4 only. */
export function textOf(fields: Fields): string {
  const protocol = [...fields.keys()].find((name) => /^(tcp|udp|sctp|icmp)6?$/.test(name)) ?? '';
  const long = (name: string): string => {
    if (name.startsWith('tp_')) return name.replace('tp', protocol.replace('6', ''));
    return protocol === 'icmp6' ? name.replace(/^icmp_/, 'icmpv6_') : name;
  };
  // Of the two, a solicitation may only have the one and an advertisement only the other.
  const said = [...fields].filter(([name, value]) => !/^nd_[st]ll$/.test(name) || value !== '00:00:00:00:00:00');
  return said.map(([name, value]) => (value === '' ? name : `${long(name)}=${value}`)).join(',');
}
