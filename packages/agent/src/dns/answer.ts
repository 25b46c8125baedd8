/** What a guest is told of a name: by this host of its network's, by nobody of any other network's. Pure. */
import { decodeQuery, encodeAnswer, type Query, RCODE, type Rcode, type Record } from './message.ts';
import { type Resolved, resolve, type Zone } from './resolve.ts';

/** Records of one answer: what a client can make use of. */
const MOST_RECORDS = 32;

/** The answer to what a guest of `zone` asks; null: none. `upstream`: others are to be asked. */
export function answerDns(payload: Uint8Array, zone: Zone, hasUpstream: boolean): Uint8Array | 'upstream' | null {
  const query = decodeQuery(payload);
  if (query === null) return null;
  const say = (rcode: Rcode, records: readonly Record[] = []): Uint8Array =>
    encodeAnswer(payload, query, rcode, records, hasUpstream);
  if (query === 'malformed') return say(RCODE.malformed);
  if (query.opcode !== 'QUERY') return say(RCODE.unsupported);
  if (query.class !== 'IN') return say(RCODE.refused);
  const found = resolve(query.name, zone);
  switch (found.kind) {
    case 'foreign':
      return hasUpstream ? 'upstream' : say(RCODE.refused);
    case 'missing':
      return say(RCODE.missing);
    case 'unknown':
      return say(RCODE.failed);
    case 'addresses':
    case 'names':
      return say(RCODE.ok, recordsOf(query, found).slice(0, MOST_RECORDS));
  }
}

/** Empty where there are records of other types only. */
function recordsOf({ type }: Query, found: Extract<Resolved, { kind: 'addresses' | 'names' }>): Record[] {
  const all: Record[] =
    found.kind === 'names'
      ? found.names.map((data) => ({ type: 'PTR', data }))
      : found.addresses.map((data) => ({ type: data.includes(':') ? 'AAAA' : 'A', data }));
  return type === 'ANY' ? all : all.filter((each) => each.type === type);
}
