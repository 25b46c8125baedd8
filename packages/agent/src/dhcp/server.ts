/**
 * DHCP answered by the host of who asks (RFC 2131). Addresses are the controller's: there is nothing to remember of clients, so an answer
 * depends on the question and on what is known of the port, on whichever host and after any restart.
 */
import { ipv4, mac } from '@alcor/openflow';
import {
  decodeFrame,
  encodeFrame,
  HOST_IP,
  HOST_MAC,
  NO_PORT,
  type LocalPort,
  type PacketIn,
  type PacketOut,
} from '../dataplane/index.ts';
import { decodeDhcp, encodeDhcp, MESSAGE, OPTION, type DhcpRequest } from './message.ts';
import { bootServer, type Lease, leaseOptions } from './options.ts';
import { word } from './values.ts';

/** Renewed at half of it. */
const LEASE_SECONDS = 86_400;
/** The server of a subnet without a gateway. */
const SERVER_IP = HOST_IP;
const SERVER_MAC = mac(HOST_MAC);
const BROADCAST_MAC = 0xffff_ffff_ffff;
const BROADCAST_IP = 0xffff_ffff;
/** IP and UDP headers: what a message may be is said with them. */
const HEADERS = 28;
const LEAST_MAXIMUM = 576;

export interface DhcpOptions {
  /** The port of this host that is plugged at an OpenFlow port. */
  readonly portAt: (ofport: number) => LocalPort | undefined;
  /** What the port's guest is to be told; undefined where DHCP is off. */
  readonly leaseOf: (port: LocalPort) => Lease | undefined;
}

/** The packets that answer `packet`: one, or none where it is no question, or not for us. */
export function answerDhcp(packet: PacketIn, { portAt, leaseOf }: DhcpOptions): readonly PacketOut[] {
  const ofport = packet.context.registers.reg0 ?? 0;
  const port = portAt(ofport);
  const request = decodeDhcp(decodeFrame(packet.frame).payload);
  if (port === undefined || request === null || request.chaddr !== mac(port.mac)) return [];
  const lease = leaseOf(port);
  if (lease === undefined) return [];
  const frame = answerTo(request, lease);
  if (frame === null) return [];
  const context = { inPort: NO_PORT, vni: packet.context.vni, registers: { reg1: ofport } };
  return [{ table: 'output', context, frame }];
}

function answerTo(request: DhcpRequest, lease: Lease): Uint8Array | null {
  const server = ipv4(lease.gateway ?? SERVER_IP);
  const type = answerType(request, lease, server);
  if (type === null) return null;
  const isNak = type === MESSAGE.nak;
  const isInform = request.options.get(OPTION.messageType)?.[0] === MESSAGE.inform;
  const yiaddr = isNak || isInform ? 0 : ipv4(lease.ip);
  const said = isNak ? [] : leaseOptions(lease, [...(request.options.get(OPTION.parameters) ?? [])]);
  const time = isNak || isInform ? [] : [{ code: OPTION.leaseTime, value: word(LEASE_SECONDS) }];
  const payload = encodeDhcp({
    xid: request.xid,
    broadcast: request.broadcast,
    ciaddr: isNak ? 0 : request.ciaddr,
    yiaddr,
    siaddr: isNak ? 0 : bootServer(lease),
    chaddr: request.chaddr,
    options: [
      { code: OPTION.messageType, value: Uint8Array.of(type) },
      { code: OPTION.serverIdentifier, value: word(server) },
      ...time,
      ...said,
    ],
    atMost: Math.max(maximumOf(request), LEAST_MAXIMUM) - HEADERS,
  });
  return encodeFrame({ ...addressed(request, yiaddr, isNak), ipv4_src: server, udp_src: 67, udp_dst: 68 }, payload);
}

/** What to say to the message; null: nothing. */
function answerType({ options, ciaddr }: DhcpRequest, lease: Lease, server: number): number | null {
  const asked = addressIn(options.get(OPTION.serverIdentifier));
  switch (options.get(OPTION.messageType)?.[0] ?? 0) {
    case MESSAGE.discover:
      return MESSAGE.offer;
    case MESSAGE.inform:
      return MESSAGE.ack;
    case MESSAGE.request: {
      // The guest has chosen another server, which only one that it runs itself can be.
      if (asked !== null && asked !== server) return null;
      const wanted = addressIn(options.get(OPTION.requestedAddress)) ?? ciaddr;
      return wanted === ipv4(lease.ip) ? MESSAGE.ack : MESSAGE.nak;
    }
    default:
      return null;
  }
}

/** To whom: RFC 2131 section 4.1. */
function addressed({ ciaddr, broadcast, chaddr }: DhcpRequest, yiaddr: number, isNak: boolean) {
  const frame = { eth_src: SERVER_MAC, eth_type: 0x0800, ip_proto: 17 };
  if (!isNak && ciaddr !== 0) return { ...frame, eth_dst: chaddr, ipv4_dst: ciaddr };
  if (isNak || broadcast) return { ...frame, eth_dst: BROADCAST_MAC, ipv4_dst: BROADCAST_IP };
  return { ...frame, eth_dst: chaddr, ipv4_dst: yiaddr };
}

/** Bytes of the largest message that the client takes. */
function maximumOf({ options }: DhcpRequest): number {
  const value = options.get(OPTION.maximumSize);
  return value?.length === 2 ? Math.min((value[0]! << 8) | value[1]!, 1400) : 0;
}

function addressIn(value: Uint8Array | undefined): number | null {
  if (value?.length !== 4) return null;
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}
