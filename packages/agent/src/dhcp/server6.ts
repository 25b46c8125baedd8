/**
 * DHCPv6 answered by the host of who asks (RFC 8415): addresses where the subnet is stateful, and what else is to be known. As with
 * IPv4 there is nothing to remember of clients.
 */
import { ipv6, mac } from '@alcor/openflow';
import {
  decodeFrame,
  encodeFrame,
  HOST_MAC,
  linkLocal,
  NO_PORT,
  type LocalPort,
  type PacketIn,
  type PacketOut,
} from '../dataplane/index.ts';
import { type Lease6, leaseOptions6 } from './options6.ts';
import { bytes } from './values.ts';

export interface Dhcp6Options {
  readonly portAt: (ofport: number) => LocalPort | undefined;
  /** What the port's guest is to be told; undefined where no subnet of it has DHCPv6. */
  readonly leaseOf: (port: LocalPort) => Lease6 | undefined;
}

const MESSAGE = { solicit: 1, advertise: 2, request: 3, confirm: 4, renew: 5, rebind: 6, reply: 7, release: 8, decline: 9, information: 11 } as const; // prettier-ignore
const OPTION = { clientId: 1, serverId: 2, identity: 3, address: 5, asked: 6, status: 13, rapidCommit: 14 } as const; // prettier-ignore
const STATUS = { success: 0, noAddresses: 2, notOnLink: 4 } as const;

/** A guest has one for each interface; who sends more is up to no good. */
const MOST_IDENTITIES = 4;

/** What is sure to fit into a packet of the smallest MTU of IPv6; options that do not are left out. */
const MOST_BYTES = 1_280 - 40 - 8;

const PREFERRED_SECONDS = 43_200;
const VALID_SECONDS = 86_400;
const SERVER_MAC = mac(HOST_MAC);
/** DUID-LL over Ethernet: the same on every host, since each answers for all. */
const SERVER_ID = [0, 3, 0, 1, ...bytes(BigInt(SERVER_MAC), 6)];

interface Message {
  readonly type: number;
  readonly transaction: readonly number[];
  readonly options: ReadonlyMap<number, readonly Uint8Array[]>;
}

/** The packets that answer `packet`: one, or none where it is no question, or not for us. */
export function answerDhcp6(packet: PacketIn, { portAt, leaseOf }: Dhcp6Options): readonly PacketOut[] {
  const ofport = packet.context.registers.reg0 ?? 0;
  const port = portAt(ofport);
  const { headers, payload } = decodeFrame(packet.frame);
  const message = decode(payload);
  if (port === undefined || message === null || headers.ipv6_src === undefined) return [];
  const lease = leaseOf(port);
  const answer = lease === undefined ? null : answerTo(message, lease);
  if (answer === null) return [];
  const frame = encodeFrame(
    {
      eth_src: SERVER_MAC,
      eth_dst: headers.eth_src!,
      eth_type: 0x86dd,
      ip_proto: 17,
      ipv6_src: linkLocal(SERVER_MAC),
      ipv6_dst: headers.ipv6_src,
      udp_src: 547,
      udp_dst: 546,
    },
    answer,
  );
  return [
    { table: 'output', context: { inPort: NO_PORT, vni: packet.context.vni, registers: { reg1: ofport } }, frame },
  ];
}

function answerTo(message: Message, lease: Lease6): Uint8Array | null {
  const { type, transaction, options } = message;
  const client = options.get(OPTION.clientId)?.[0];
  const server = options.get(OPTION.serverId)?.[0];
  if (server !== undefined && !isOurs(server)) return null;
  if (client === undefined && type !== MESSAGE.information) return null;
  const isRapid = type === MESSAGE.solicit && options.has(OPTION.rapidCommit);
  const said = contents(message, lease);
  if (said === null) return null;
  const answer = [
    type === MESSAGE.solicit && !isRapid ? MESSAGE.advertise : MESSAGE.reply,
    ...transaction,
    ...(client === undefined ? [] : option(OPTION.clientId, [...client])),
    ...option(OPTION.serverId, SERVER_ID),
    ...(isRapid ? option(OPTION.rapidCommit, []) : []),
    ...said,
  ];
  for (const { code, value } of leaseOptions6(lease, askedBy(message)))
    if (answer.length + 4 + value.length <= MOST_BYTES) answer.push(...option(code, [...value]));
  return Uint8Array.from(answer);
}

/** The part of the answer that depends on the question; null: it is none. */
function contents({ type, options }: Message, lease: Lease6): number[] | null {
  const identities = (options.get(OPTION.identity) ?? []).slice(0, MOST_IDENTITIES);
  switch (type) {
    case MESSAGE.solicit:
    case MESSAGE.request:
    case MESSAGE.renew:
    case MESSAGE.rebind:
      return identities.flatMap((identity) => identityAnswer(identity, lease));
    case MESSAGE.confirm:
      return status(
        identities.flatMap(addressesIn).every((ip) => isLeased(ip, lease)) ? STATUS.success : STATUS.notOnLink,
      );
    case MESSAGE.release:
    case MESSAGE.decline:
      return status(STATUS.success);
    case MESSAGE.information:
      return [];
    default:
      return null;
  }
}

/** All addresses to whichever identity asks; those that it has and should not have are at their end. */
function identityAnswer(identity: Uint8Array, lease: Lease6): number[] {
  if (identity.length < 12) return [];
  const gone = addressesIn(identity).filter((ip) => !isLeased(ip, lease));
  const addresses = [
    ...lease.ips.flatMap((ip) => addressOption(ipv6(ip), PREFERRED_SECONDS, VALID_SECONDS)),
    ...gone.flatMap((ip) => addressOption(ip, 0, 0)),
  ];
  const times = [...bytes(BigInt(PREFERRED_SECONDS / 2), 4), ...bytes(BigInt((PREFERRED_SECONDS * 4) / 5), 4)];
  const inside = lease.ips.length === 0 ? status(STATUS.noAddresses) : addresses;
  return option(OPTION.identity, [...identity.subarray(0, 4), ...times, ...inside]);
}

function addressOption(ip: bigint, preferred: number, valid: number): number[] {
  return option(OPTION.address, [...bytes(ip, 16), ...bytes(BigInt(preferred), 4), ...bytes(BigInt(valid), 4)]);
}

/** The addresses that an identity association names. */
function addressesIn(identity: Uint8Array): bigint[] {
  const found = identity.length < 12 ? undefined : optionsIn(identity.subarray(12))?.get(OPTION.address);
  return (found ?? []).flatMap((value) => (value.length < 24 ? [] : [numberOf(value.subarray(0, 16))]));
}

function isLeased(ip: bigint, lease: Lease6): boolean {
  return lease.ips.some((each) => ipv6(each) === ip);
}

/** The codes of the options that the client wants to be told of. */
function askedBy({ options }: Message): number[] {
  const codes = options.get(OPTION.asked)?.[0] ?? new Uint8Array(0);
  return Array.from({ length: codes.length >> 1 }, (_, at) => (codes[2 * at]! << 8) | codes[2 * at + 1]!);
}

function status(code: number): number[] {
  return option(OPTION.status, bytes(BigInt(code), 2));
}

function option(code: number, value: readonly number[]): number[] {
  return [...bytes(BigInt(code), 2), ...bytes(BigInt(value.length), 2), ...value];
}

function isOurs(server: Uint8Array): boolean {
  return server.length === SERVER_ID.length && SERVER_ID.every((byte, at) => server[at] === byte);
}

function decode(payload: Uint8Array): Message | null {
  const options = payload.length < 4 ? null : optionsIn(payload.subarray(4));
  return options === null ? null : { type: payload[0]!, transaction: [...payload.subarray(1, 4)], options };
}

/** By code, in order; null where they are cut off. */
function optionsIn(payload: Uint8Array): Map<number, Uint8Array[]> | null {
  const options = new Map<number, Uint8Array[]>();
  for (let at = 0; at < payload.length;) {
    if (at + 4 > payload.length) return null;
    const [code, length] = [(payload[at]! << 8) | payload[at + 1]!, (payload[at + 2]! << 8) | payload[at + 3]!];
    if (at + 4 + length > payload.length) return null;
    options.set(code, [...(options.get(code) ?? []), payload.subarray(at + 4, at + 4 + length)]);
    at += 4 + length;
  }
  return options;
}

function numberOf(value: Uint8Array): bigint {
  return value.reduce((whole, byte) => (whole << 8n) | BigInt(byte), 0n);
}
