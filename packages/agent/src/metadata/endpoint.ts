/** Where guests open TCP connections to their host: port 80 of its address, behind which somebody speaks HTTP. */
import { ipv4Text, ipv6Text } from '@alcor/openflow';
import type { Clock, Random } from '@alcor/runtime';
import type { Duplex } from 'node:stream';
import { decodeFrame, type LocalPort, NO_PORT, type PacketIn, type PacketOut } from '../dataplane/index.ts';
import { Connection } from './connection.ts';
import { decodeSegment, encodeAnswer, FLAG, type Segment } from './segment.ts';

/** Who has opened a connection. */
export interface Caller {
  readonly port: LocalPort;
  readonly ip: string;
}

export interface EndpointOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (packets: readonly PacketOut[]) => void;
  readonly portAt: (ofport: number) => LocalPort | undefined;
  /** Given each connection; undefined: all are refused. */
  readonly accept: ((stream: Duplex, caller: Caller) => void) | undefined;
}

/** Connections of one port, and of all. */
const MOST_OF_PORT = 8;
const MOST = 512;

export class Endpoint {
  readonly #options: EndpointOptions;
  /** By port, address and TCP port of who has opened them. */
  readonly #connections = new Map<string, Connection>();
  readonly #ofPort = new Map<number, number>();

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  onPacket(packet: PacketIn): void {
    const ofport = packet.context.registers.reg0 ?? 0;
    const port = this.#options.portAt(ofport);
    const segment = decodeSegment(packet.frame);
    if (port === undefined || segment === null) return;
    const { headers } = decodeFrame(packet.frame);
    const ip =
      headers.eth_type === 0x0800 ? ipv4Text(Number(headers.ipv4_src)) : ipv6Text(BigInt(headers.ipv6_src ?? 0));
    const key = `${ofport} ${ip} ${headers.tcp_src}`;
    const connection = this.#connections.get(key);
    const send = (answer: Segment): void => this.#options.send([answerTo(packet, answer)]);
    if (connection !== undefined) connection.onSegment(segment);
    else if ((segment.flags & FLAG.rst) !== 0) return;
    else if (!this.#opens(segment, ofport)) send(refusal(segment));
    else this.#open(key, ofport, segment, { port, ip }, send);
  }

  #opens({ flags }: Segment, ofport: number): boolean {
    const isFirst = (flags & (FLAG.syn | FLAG.ack)) === FLAG.syn;
    const hasRoom = this.size < MOST && (this.#ofPort.get(ofport) ?? 0) < MOST_OF_PORT;
    return isFirst && hasRoom && this.#options.accept !== undefined;
  }

  #open(key: string, ofport: number, opening: Segment, caller: Caller, send: (segment: Segment) => void): void {
    const { clock, random, accept } = this.#options;
    this.#ofPort.set(ofport, (this.#ofPort.get(ofport) ?? 0) + 1);
    const connection = new Connection(opening, {
      clock,
      initial: Math.floor(random.next() * 2 ** 32),
      send,
      onOpen: (stream) => accept?.(stream, caller),
      onEnd: () => {
        this.#connections.delete(key);
        const left = (this.#ofPort.get(ofport) ?? 1) - 1;
        if (left > 0) this.#ofPort.set(ofport, left);
        else this.#ofPort.delete(ofport);
      },
    });
    this.#connections.set(key, connection);
  }
}

/** Back by way of the guest's groups, which have let out what it answers. */
function answerTo({ context, frame }: PacketIn, segment: Segment): PacketOut {
  return {
    table: 'entering',
    context: { inPort: NO_PORT, vni: context.vni, registers: { reg1: context.registers.reg0 ?? 0 } },
    frame: encodeAnswer(decodeFrame(frame).headers, segment),
  };
}

/** RFC 9293 section 3.10.7.1. */
function refusal({ flags, sequence, acknowledged, data }: Segment): Segment {
  const nothing = { window: 0, most: 0, data: new Uint8Array(0) };
  if ((flags & FLAG.ack) !== 0) return { ...nothing, flags: FLAG.rst, sequence: acknowledged, acknowledged: 0 };
  const length = data.length + (flags & FLAG.syn ? 1 : 0) + (flags & FLAG.fin ? 1 : 0);
  return { ...nothing, flags: FLAG.rst | FLAG.ack, sequence: 0, acknowledged: (sequence + length) >>> 0 };
}
