/** DHCP messages as bytes: RFC 2131 section 2, options of RFC 2132. */

/** Values of option 53. */
export const MESSAGE = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

/** The options that are spoken of by name here; their numbers are IANA's. */
export const OPTION = {
  subnetMask: 1,
  router: 3,
  dnsServers: 6,
  hostName: 12,
  domainName: 15,
  mtu: 26,
  broadcast: 28,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  serverIdentifier: 54,
  /** What the client wants to be told. */
  parameters: 55,
  maximumSize: 57,
  classlessRoutes: 121,
  /** The same by another number. */
  microsoftRoutes: 249,
} as const;

const PAD = 0;
const END = 255;
const COOKIE = 0x63825363;
const FIXED = 240;
/** What a BOOTP relay or client may take for the least there is. */
const LEAST_BYTES = 300;

export interface DhcpRequest {
  readonly xid: number;
  /** The client cannot take a unicast yet. */
  readonly broadcast: boolean;
  /** 0 while the client has no address. */
  readonly ciaddr: number;
  readonly giaddr: number;
  /** The client's MAC. */
  readonly chaddr: number;
  readonly options: ReadonlyMap<number, Uint8Array>;
}

export interface DhcpReply {
  readonly xid: number;
  readonly broadcast: boolean;
  readonly ciaddr: number;
  readonly yiaddr: number;
  readonly siaddr: number;
  readonly chaddr: number;
  /** In the order of their importance: what does not fit is left out. */
  readonly options: readonly DhcpOption[];
  /** Bytes that all of it may be. */
  readonly atMost: number;
}

export interface DhcpOption {
  readonly code: number;
  readonly value: Uint8Array;
}

/** A client's message over Ethernet; null if it is anything else, or cut off. */
export function decodeDhcp(payload: Uint8Array): DhcpRequest | null {
  if (payload.length < FIXED) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const isRequest = view.getUint8(0) === 1 && view.getUint8(1) === 1 && view.getUint8(2) === 6;
  if (!isRequest || view.getUint32(236) !== COOKIE) return null;
  const options = decodeOptions(payload);
  if (options === null) return null;
  return {
    xid: view.getUint32(4),
    broadcast: (view.getUint16(10) & 0x8000) !== 0,
    ciaddr: view.getUint32(12),
    giaddr: view.getUint32(24),
    chaddr: view.getUint16(28) * 2 ** 32 + view.getUint32(30),
    options,
  };
}

export function encodeDhcp(reply: DhcpReply): Uint8Array {
  const bytes = new Uint8Array(Math.max(reply.atMost, LEAST_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x02_01_06_00);
  view.setUint32(4, reply.xid);
  view.setUint16(10, reply.broadcast ? 0x8000 : 0);
  view.setUint32(12, reply.ciaddr);
  view.setUint32(16, reply.yiaddr);
  view.setUint32(20, reply.siaddr);
  view.setUint16(28, Math.floor(reply.chaddr / 2 ** 32));
  view.setUint32(30, reply.chaddr % 2 ** 32);
  view.setUint32(236, COOKIE);
  let at = FIXED;
  for (const { code, value } of reply.options) {
    const parts = Math.max(1, Math.ceil(value.length / 255));
    if (at + value.length + 2 * parts + 1 > bytes.length) continue;
    at = writeOption(bytes, at, code, value);
  }
  bytes[at] = END;
  return bytes.subarray(0, Math.max(at + 1, LEAST_BYTES));
}

/** By code; what is said in parts (RFC 3396) as one. */
function decodeOptions(payload: Uint8Array): Map<number, Uint8Array> | null {
  const options = new Map<number, Uint8Array>();
  for (let at = FIXED; at < payload.length;) {
    const code = payload[at]!;
    if (code === END) return options;
    if (code === PAD) {
      at += 1;
      continue;
    }
    const length = payload[at + 1];
    if (length === undefined || at + 2 + length > payload.length) return null;
    const part = payload.subarray(at + 2, at + 2 + length);
    const before = options.get(code);
    options.set(code, before === undefined ? part : Uint8Array.of(...before, ...part));
    at += 2 + length;
  }
  return options;
}

/** In parts of 255 bytes where it is longer (RFC 3396); answers with where the next one goes. */
function writeOption(bytes: Uint8Array, from: number, code: number, value: Uint8Array): number {
  let at = from;
  for (let part = 0; part === 0 || part < value.length; part += 255) {
    const piece = value.subarray(part, part + 255);
    bytes.set([code, piece.length], at);
    bytes.set(piece, at + 2);
    at += 2 + piece.length;
  }
  return at;
}
