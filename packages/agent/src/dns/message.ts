/** A DNS query as it came, and the answer to it (RFC 1035, RFC 6891), encoded by `dns-packet`. */
import { Buffer } from 'node:buffer';
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  type Answer,
  type DecodedPacket,
  type OptAnswer,
} from 'dns-packet';

export const RCODE = { ok: 0, malformed: 1, failed: 2, missing: 3, unsupported: 4, refused: 5 } as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

export interface Query {
  /** As it was asked: in whichever case, without a dot at its end. */
  readonly name: string;
  /** `A`, `PTR` …; `UNKNOWN_…` for what nobody has named. */
  readonly type: string;
  readonly class: string;
  readonly opcode: string;
  /** Bytes that the client takes in one datagram. */
  readonly atMost: number;
}

export interface Record {
  readonly type: 'A' | 'AAAA' | 'PTR';
  readonly data: string;
}

const HEADER = 12;
const LEAST_MAXIMUM = 512;
/** What passes any path without fragments. */
const MOST_BYTES = 1_232;
/** Ports move and are renamed, and to ask again costs little. */
const TTL_SECONDS = 30;
/** A name is echoed as it was asked, so it must be one that encodes to the same bytes. */
const PLAIN = /^[!-~]*$/;

/** Null for what is no query at all, so that nothing can be answered; `malformed`: only that can be said. */
export function decodeQuery(payload: Uint8Array): Query | 'malformed' | null {
  if (payload.length < HEADER || (payload[2]! & 0x80) !== 0) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  // One question, and nothing else but what concerns the transport (EDNS, a signature): there is nothing long to decode.
  const counts = [4, 6, 8, 10].map((at) => view.getUint16(at));
  if (counts[0] !== 1 || counts[1] !== 0 || counts[2] !== 0 || counts[3]! > 2) return 'malformed';
  const packet = decoded(payload);
  const question = packet?.questions?.[0];
  if (packet === undefined || question === undefined || !PLAIN.test(question.name)) return 'malformed';
  const edns = packet.additionals?.find((each) => each.type === 'OPT');
  const said = edns?.type === 'OPT' ? edns.udpPayloadSize : 0;
  return {
    name: question.name,
    type: question.type,
    class: question.class ?? 'IN',
    opcode: (packet as DecodedPacket & { readonly opcode: string }).opcode,
    atMost: Math.min(Math.max(said, LEAST_MAXIMUM), MOST_BYTES),
  };
}

function decoded(payload: Uint8Array): DecodedPacket | undefined {
  try {
    return decode(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  } catch {
    // The library throws whatever it stumbles over; whoever sends such bytes is told that they mean nothing.
    return undefined;
  }
}

/** In the header's third byte. */
export const TRUNCATED = 0x02;

/** The same question anew, and nothing else that a guest may have sent; its number is to be set by who sends it. */
export function encodeQuery(payload: Uint8Array, { name, type, atMost }: Query): Uint8Array {
  const opt: OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: atMost,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'query',
    id: 0,
    flags: (payload[2]! & 0x01) << 8,
    questions: [{ name, type: type as Answer['type'], class: 'IN' }],
    additionals: atMost > LEAST_MAXIMUM ? [opt] : [],
  });
}

/** The answer to the query in `payload`; as many of `records` as the client takes, the first ones. */
export function encodeAnswer(
  payload: Uint8Array,
  query: Query | 'malformed',
  rcode: Rcode,
  records: readonly Record[],
  recursion: boolean,
): Uint8Array {
  if (query === 'malformed') return withoutQuestion(payload, rcode);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const asked = view.getUint16(2) & 0x0100;
  const authority = rcode === RCODE.ok || rcode === RCODE.missing ? AUTHORITATIVE_ANSWER : 0;
  const { name, type, atMost } = query;
  const make = (count: number): Uint8Array =>
    encode({
      type: 'response',
      id: view.getUint16(0),
      flags: asked | authority | (recursion ? RECURSION_AVAILABLE : 0) | rcode,
      questions: [{ name, type: type as Answer['type'], class: 'IN' }],
      answers: records.slice(0, count).map((each) => ({ ...each, name, ttl: TTL_SECONDS, class: 'IN' })),
      additionals: [],
    });
  let answer = make(records.length);
  for (let count = records.length - 1; answer.length > atMost && count >= 0; count--) answer = make(count);
  return answer;
}

/** The header alone, with the query's number. */
function withoutQuestion(payload: Uint8Array, rcode: Rcode): Uint8Array {
  const [first, second, flags] = [payload[0]!, payload[1]!, payload[2]!];
  return Uint8Array.of(first, second, 0x80 | (flags & 0x79), rcode, 0, 0, 0, 0, 0, 0, 0, 0);
}
