/** The cases: who must reach whom, or must not, with what. Plain data; `judge.ts` says whether it happened. */

export type Family = 4 | 6;

/** `icmp` is an echo, `icmp/13` or `icmp/13/0` another type and code; `tcp` and `udp` have a port. */
export type Traffic = 'icmp' | `icmp/${number}` | `icmp/${number}/${number}` | `tcp/${number}` | `udp/${number}`;

/**
 * `answered`: the other end's socket got it and the answer came back. `received`: it got it, and the answer did not. `stopped`: it left
 * the sender, and no VM of the region saw it. `unsent`: it did not leave, because nobody answers for the destination. `lost`: one of
 * these two. An object: this ICMP error came back, from whom it says.
 */
export type Outcome =
  | 'answered'
  | 'received'
  | 'stopped'
  | 'unsent'
  | 'lost'
  | { readonly error: 'ttl exceeded' | 'no route'; readonly from: string }
  | { readonly error: 'too large'; readonly from: string; readonly mtu: number };

export interface Exchange {
  readonly why: string;
  readonly from: string;
  /** VMs that must get it, and no other; none where the network itself answers. */
  readonly to: readonly string[];
  readonly family: Family;
  readonly traffic: Traffic;
  readonly outcome: Outcome;
  /** Instead of the address of the first of `to`. */
  readonly address?: string;
  /** Instead of the sender's own address. */
  readonly source?: string;
  /** Hops to live that it starts with; 64 unless given. */
  readonly ttl?: number;
  /** Of a datagram, without headers; it is not fragmented, whatever the sender knows of the way. Unless given, it is no longer than it has to be. */
  readonly bytes?: number;
  /** Routers that it passes; 0 unless given. */
  readonly hops?: number;
  /** Names the TCP connection that it opens, to go on later. */
  readonly keep?: string;
  /** Goes on with a connection instead of opening one. Where it is stopped it is `lost`: TCP sends again in its own time. */
  readonly on?: string;
  /** Where what is stopped ends: before the tunnel or behind it; by default it may be either. */
  readonly ends?: 'here' | 'there';
  /** The network in which it crosses, by name; by default the first receiver's. */
  readonly within?: string;
  /** Between which hosts it crosses by tunnels, where that is not from the sender's to each receiver's. */
  readonly crosses?: readonly { readonly from: number; readonly to: number }[];
  /** The address that the receiver sees it come from, where that is another than the sender's. */
  readonly seenFrom?: string;
  /** The port that the receiver listens on, where that is another than it is sent to. */
  readonly at?: number;
  /** The code point that it arrives with; 0 unless given. Of UDP the receiver's socket says it, too. */
  readonly dscp?: number;
}

/** Many datagrams at once, of which so many arrive. */
export interface Burst {
  readonly why: string;
  readonly from: string;
  readonly to: string;
  readonly family: Family;
  readonly times: number;
  /** Of each, without headers. */
  readonly bytes: number;
  /** Milliseconds from one to the next at least. Without, the datapath may lose some that no limit ends. */
  readonly gap?: number;
  /** Instead of the address of `to`. */
  readonly address?: string;
  /** At least, and at most where it is sent within a second. */
  readonly arrive: readonly [number, number];
  /** How many more a limit lets pass in each further second. */
  readonly perSecond?: number;
}

/** What the network itself tells a guest. */
export interface Question {
  readonly why: string;
  readonly from: string;
  /** `dns` over IPv4 and `dns6` over IPv6, by a socket of the guest; the others are frames. */
  readonly ask: 'arp' | 'neighbour' | 'router' | 'dhcp' | 'dhcp6' | 'dns' | 'dns6';
  /** The address that is asked for; of DHCPv6 `information` for options alone; of DNS a name and a type. */
  readonly target?: string;
  /** What the answer must say at least; null: nobody may answer. `@vm` stands for the MAC of a VM. */
  readonly told: { readonly [fact: string]: unknown } | null;
}

/** A file by an application protocol whose data take another way than the question. IPv4. */
export interface Transfer {
  readonly why: string;
  readonly from: string;
  /** The server. */
  readonly to: string;
  /** `ftp`: it connects to the client. */
  readonly fetch: 'ftp' | 'ftp-passive' | 'tftp';
  readonly port: number;
  /** Instead of the address of `to`. */
  readonly address?: string;
  /** Whether the file comes. */
  readonly comes: boolean;
}

export type Case = Exchange | Burst | Question | Transfer;

type More = Partial<Omit<Exchange, 'from' | 'to' | 'family' | 'traffic' | 'outcome' | 'why'>>;

/** A case of one family. */
export function on(
  family: Family,
  from: string,
  to: string | readonly string[],
  traffic: Traffic,
  outcome: Outcome,
  why: string,
  more: More = {},
): Exchange {
  return { why, from, to: typeof to === 'string' ? [to] : to, family, traffic, outcome, ...more };
}

/** The same case over IPv4 and over IPv6. */
export function both(
  from: string,
  to: string | readonly string[],
  traffic: Traffic,
  outcome: Outcome,
  why: string,
  more: More = {},
): Exchange[] {
  return ([4, 6] as const).map((family) => on(family, from, to, traffic, outcome, why, more));
}

/** Several kinds of traffic, each over both families. */
export function all(
  from: string,
  to: string,
  traffics: readonly Traffic[],
  outcome: Outcome,
  why: string,
  more: More = {},
): Exchange[] {
  return traffics.flatMap((traffic) => both(from, to, traffic, outcome, why, more));
}

/**
 * 300 datagrams of 1,000 bytes, within some third of a second. At 1 Mbit/s the burst that the largest packet needs lets 63 pass, and each second another
 * 120.
 */
export function burst(
  from: string,
  to: string,
  family: Family,
  isLimited: boolean,
  why: string,
  more: Pick<Burst, 'address'> = {},
): Burst {
  const arrive = isLimited ? ([40, 240] as const) : ([250, 300] as const);
  return { why, from, to, family, times: 300, bytes: 1_000, gap: 1, arrive, perSecond: 120, ...more };
}

export function isBurst(each: Case): each is Burst {
  return 'times' in each;
}

export function isQuestion(each: Case): each is Question {
  return 'ask' in each;
}

export function isTransfer(each: Case): each is Transfer {
  return 'fetch' in each;
}

/** One line for people. */
export function nameOf(each: Case): string {
  if (isQuestion(each)) {
    const asked = [each.ask, each.target].filter((part) => part !== undefined).join(' ');
    return `${each.why}: ${each.from} asks ${asked}: ${each.told === null ? 'no answer' : JSON.stringify(each.told)}`;
  }
  if (isTransfer(each)) {
    const { why, from, to, fetch, port, address, comes } = each;
    return `${why}: ${from} fetches from ${to}${address === undefined ? '' : ` at ${address}`}, ${fetch}/${port}: ${comes ? 'it comes' : 'nothing comes'}`;
  }
  if (isBurst(each)) {
    const { why, from, to, family, times, arrive, address } = each;
    return `${why}: ${from} → ${address === undefined ? to : `${to} at ${address}`}, ${times} datagrams over IPv${family}: ${arrive.join(' to ')} arrive`;
  }
  const { why, from, to, family, traffic, outcome, address, source, on: connection } = each;
  const whom = [to.join(' and ') || 'the network', address].filter((part) => part !== undefined).join(' at ');
  const what = connection === undefined ? `${traffic} over IPv${family}` : `more on ${connection}`;
  const result = typeof outcome === 'string' ? outcome : `${outcome.error} from ${outcome.from}`;
  return `${why}: ${from}${source === undefined ? '' : ` as ${source}`} → ${whom}, ${what}: ${result}`;
}
