/** What `ofproto/trace` says of a packet's way through one bridge, up to where it asks the connection tracker. */

/** A packet as it left by a port: the flow that it had become, in the words of Open vSwitch. */
export interface Left {
  readonly port: number;
  /** It is the port that the packet had come in by. */
  readonly isBack: boolean;
  readonly fields: Fields;
  /** The tag that it left under. */
  readonly vlan: number | null;
  /** Underlay address of the host that it is for, and the network, as far as they have been set: where the port is a tunnel. */
  readonly tunnelTo: string | null;
  readonly tunnelId: string | null;
}

/** What a connection's packets get in the place of one of their ends. */
export interface Nat {
  readonly side: 'src' | 'dst';
  readonly ip: string;
  readonly port: string | null;
}

/** A copy that goes on in a table once its connection is known. */
export interface Tracked {
  readonly table: number;
  readonly zone: number;
  /** As it was sent to the tracker. */
  readonly fields: Fields;
  /** Its connection is remembered before, with this mark. */
  readonly mark: string | null;
  /** And translated so. */
  readonly nat?: Nat | undefined;
  /** It goes on as its connection is translated. */
  readonly isTranslated: boolean;
}

export interface Traced {
  readonly left: readonly Left[];
  readonly given: boolean;
  readonly tracked: readonly Tracked[];
  /** Zones in which its connection has been remembered besides, as it came in, with the connection's mark. */
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
    left: outputs(lines, Number(start.get('in_port'))).map((each) => ({ ...each, fields: end })),
    given: lines.some((line) => /^ *(controller|CONTROLLER)/.test(line)),
    tracked: resumptions(resumed, forks(lines)),
    committed: [
      ...(/^Datapath actions: (.*)$/m.exec(first)?.[1] ?? '').matchAll(
        /ct\(commit,zone=(\d+),mark=(0x[0-9a-f]+)[^)]*\)(?!\)?,recirc)/g,
      ),
    ].map(([, zone, mark]) => ({ zone: Number(zone), mark: mark! })),
  };
}

interface Fork {
  readonly table: number;
  /** What the tracker is asked to do. */
  readonly action: string;
}

/** Where the copies go on that this part itself has sent to the tracker; what they become is said behind, with that of their own copies. */
function forks(lines: readonly string[]): Fork[] {
  let action = '';
  return lines.flatMap((line) => {
    action = /^ *ct\((.*)\)$/.exec(line)?.[1] ?? action;
    const table = /The forked pipeline will be resumed at table (\d+)/.exec(line)?.[1];
    return table === undefined ? [] : [{ table: Number(table), action }];
  });
}

function resumptions(sections: readonly string[], into: readonly Fork[]): Tracked[] {
  return into.map(({ table, action }, n) => {
    const said = fieldsOf(/^Flow: (.*)$/m.exec(sections[n] ?? '')?.[1] ?? '');
    const isCommitted = action.startsWith('commit');
    return {
      table,
      zone: Number(said.get('ct_zone') ?? 0),
      fields: untranslated(said, sections[n] ?? ''),
      mark: isCommitted ? (/set_field:(0x[0-9a-f]+)->ct_mark/.exec(action)?.[1] ?? '0x0') : null,
      nat: natIn(action),
      isTranslated: /(^|,)nat\b/.test(action),
    };
  });
}

/** A trace translates by itself where a connection would begin. */
function untranslated(fields: Fields, section: string): Fields {
  const before = fieldsOf(/^ *Initial flow: (.*)$/m.exec(section)?.[1] ?? '');
  return new Map([...fields].map(([name, value]) => [name, before.get(name) ?? value]));
}

function natIn(action: string): Nat | undefined {
  const [, side, ip = '', port] = /nat\((src|dst)=([\d.]+)(?::(\d+))?\)/.exec(action) ?? [];
  return side === undefined ? undefined : { side: side as Nat['side'], ip, port: port ?? null };
}

function outputs(lines: readonly string[], inPort: number): Omit<Left, 'fields'>[] {
  const found: Omit<Left, 'fields'>[] = [];
  let tunnelTo: string | null = null;
  let tunnelId: string | null = null;
  let vlan: number | null = null;
  for (const line of lines) {
    tunnelTo = /set_field:([\d.]+)->tun_dst/.exec(line)?.[1] ?? tunnelTo;
    tunnelId = /NXM_NX_TUN_ID\[\] is now (0x[0-9a-f]+)/.exec(line)?.[1] ?? tunnelId;
    const vid = /set_field:(\d+)->vlan_vid/.exec(line)?.[1];
    if (vid !== undefined) vlan = Number(vid) & 0xfff;
    else if (/^ *pop_vlan$/.test(line)) vlan = null;
    const port = /^ *output:(\d+)$/.exec(line)?.[1] ?? /-> output port is (\d+)/.exec(line)?.[1];
    const out = { vlan, tunnelTo, tunnelId };
    if (port !== undefined) found.push({ port: Number(port), isBack: false, ...out });
    else if (line.trim() === 'IN_PORT') found.push({ port: inPort, isBack: true, ...out });
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
  // Of the two, a solicitation may only have the one and an advertisement only the other, also where it was a solicitation before.
  const absent = fields.get('icmp_type') === '136' ? 'nd_sll' : 'nd_tll';
  const said = [...fields].filter(
    ([name, value]) => name !== absent && !(name.startsWith('nd_') && value === '00:00:00:00:00:00'),
  );
  return said.map(([name, value]) => (value === '' ? name : `${long(name)}=${value}`)).join(',');
}
