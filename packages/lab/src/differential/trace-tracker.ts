/** The connection tracker that a trace has not: what real switches would remember of a packet and its answer, with its addresses translated. */
import { type Fields, type Nat, type Tracked } from './traced.ts';
import { isSame, mayOpen, translated, tupleOf, turned } from './trace-tuples.ts';

interface Connection {
  readonly place: string;
  readonly mark: string;
  readonly first: Fields;
  /** As the other end sees it. */
  readonly after: Fields;
  isAnswered: boolean;
}

export class TraceTracker {
  readonly #connections: Connection[] = [];

  /** Has the zone of the host's tracker remember the connection; one that it knows, or that may not begin so, it leaves as it is. */
  commit(host: string, zone: number, packet: Fields, mark: string, nat?: Nat): void {
    const first = tupleOf(packet);
    const place = `${host} ${zone}`;
    if (first === null || !mayOpen(first) || this.#find(place, first) !== undefined) return;
    this.#connections.push({ place, mark, first, after: translated(first, nat), isAnswered: false });
  }

  /** The packet as it goes on: with what is known of its connection, and in the addresses that this has been given. */
  look(host: string, { zone, fields, isTranslated }: Pick<Tracked, 'zone' | 'fields' | 'isTranslated'>): Fields {
    const own = tupleOf(fields);
    const known = own === null ? undefined : this.#find(`${host} ${zone}`, own);
    const state = known === undefined ? stateOf(own) : this.#known(known, own!);
    const plain = [...fields].filter(([name]) => !/^(recirc_id|eth|ct_.*|tun_.*|gtpu_.*)$/.test(name));
    const ends = known !== undefined && isTranslated ? endsOf(known, own!) : new Map<string, string>();
    const packet = plain.map(([name, value]): [string, string] => [name, ends.get(name) ?? value]);
    return new Map([...state, ['ct_zone', String(zone)], ...packet]);
  }

  #known(known: Connection, own: Fields): [string, string][] {
    const isReply = !isSame(own, known.first);
    known.isAnswered ||= isReply;
    const state = `trk|${known.isAnswered ? 'est' : 'new'}${isReply ? '|rpl' : ''}`;
    return [['ct_state', state], ['ct_mark', known.mark], ...known.first];
  }

  #find(place: string, tuple: Fields): Connection | undefined {
    return this.#connections.find(
      (each) => each.place === place && (isSame(tuple, each.first) || isSame(tuple, turned(each.after))),
    );
  }
}

function stateOf(own: Fields | null): [string, string][] {
  return own === null || !mayOpen(own) ? [['ct_state', 'trk|inv']] : [['ct_state', 'trk|new'], ...own];
}

/** Addresses and ports as the packet goes on, by their names in a flow; ICMP has no ports. */
function endsOf({ first, after }: Connection, own: Fields): Fields {
  const tuple = isSame(own, first) ? after : turned(first);
  const isIcmp = ['1', '58'].includes(tuple.get('ct_nw_proto') ?? '');
  return new Map(
    [...tuple]
      .filter(([name]) => !isIcmp || !name.startsWith('ct_tp'))
      .map(([name, value]) => [name.slice('ct_'.length), value]),
  );
}
