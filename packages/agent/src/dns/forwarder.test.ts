import { ipv4, mac } from '@alcor/openflow';
import { Buffer } from 'node:buffer';
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type LocalPort, type PacketIn, type PacketOut } from '../dataplane/index.ts';
import { Forwarder } from './forwarder.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const answerTo = (query: Buffer, records: number): Uint8Array =>
  encode({
    type: 'response',
    id: query.readUInt16BE(0),
    questions: decode(query).questions!,
    answers: Array.from({ length: records }, (_, n) => ({
      type: 'A',
      name: 'www.example',
      ttl: 9,
      data: `192.0.2.${n}`,
    })),
  });

describe('names that are asked of others', () => {
  let waiting: { query: Buffer; resolve: (answer: Uint8Array) => void; reject: (error: Error) => void }[];
  let sent: PacketOut[];
  let ports: Map<number, string>;
  let forwarder: Forwarder;

  beforeEach(() => {
    [waiting, sent, ports] = [
      [],
      [],
      new Map([
        [7, 'one'],
        [8, 'two'],
      ]),
    ];
    forwarder = new Forwarder({
      ask: (query) => new Promise((resolve, reject) => waiting.push({ query: Buffer.from(query), resolve, reject })),
      portAt: (key) => (ports.has(key) ? ({ id: ports.get(key)! } as LocalPort) : undefined),
      send: (packets) => void sent.push(...packets),
    });
  });

  const asks = (key = 7, { id = 77, size = 0 } = {}): void => {
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: size,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      options: [],
    };
    const payload = encode({
      type: 'query',
      id,
      flags: RECURSION_DESIRED,
      questions: [{ type: 'A', name: 'www.example', class: 'IN' }],
      additionals: size === 0 ? [] : [opt as never],
    });
    const ends = { eth_src: mac('02:00:00:00:00:01'), eth_dst: mac('02:00:5e:00:00:67'), udp_src: 4000, udp_dst: 53 };
    const ip = { ipv4_src: ipv4('10.0.0.1'), ipv4_dst: ipv4('169.254.169.254') };
    const frame = encodeFrame({ ...ends, ...ip, eth_type: 0x0800, ip_proto: 17 }, payload);
    const packet: PacketIn = { table: 'services', context: { inPort: key, vni: 5, registers: { reg0: key } }, frame };
    forwarder.forward(packet);
  };
  const told = () =>
    sent.map(({ context, frame }) => {
      const { headers, payload } = decodeFrame(frame);
      const packet = decode(Buffer.from(payload));
      const { id, answers = [], flag_tc: truncated } = packet as typeof packet & { flag_tc: boolean };
      return {
        to: context.registers['reg1'],
        port: headers.udp_dst,
        id,
        count: answers.length,
        rcode: payload[3]! & 15,
        truncated,
      };
    });

  it('are asked anew without anything else of the guest, and answered under its number', async () => {
    asks();
    expect(decode(waiting[0]!.query)).toMatchObject({
      id: 0,
      flag_rd: true,
      questions: [{ name: 'www.example' }],
      additionals: [],
    });
    waiting[0]!.resolve(answerTo(waiting[0]!.query, 2));
    await settled();
    expect(told()).toEqual([{ to: 7, port: 4000, id: 77, count: 2, rcode: 0, truncated: false }]);
  });

  it('are answered with as much as the guest takes, and else with that there is more', async () => {
    asks(7, { id: 1 });
    asks(7, { id: 2, size: 1_200 });
    for (const { query, resolve } of waiting) resolve(answerTo(query, 40));
    await settled();
    expect(told()).toMatchObject([
      { id: 1, count: 0, truncated: true },
      { id: 2, count: 40, truncated: false },
    ]);
  });

  it('have failed when nobody answers, and nobody is told whose port is gone meanwhile', async () => {
    asks(7);
    asks(8);
    ports.delete(8);
    for (const { reject } of waiting) reject(new Error('silence'));
    await settled();
    expect(told()).toEqual([{ to: 7, port: 4000, id: 77, count: 0, rcode: 2, truncated: false }]);
  });

  it('are few at once for each port: one that asks more is told at once, others are served, and it is when it has waited', async () => {
    for (let n = 0; n < 60; n++) asks(7);
    expect(waiting).toHaveLength(50);
    expect(told().map(({ rcode }) => rcode)).toEqual(Array.from({ length: 10 }, () => 2));
    asks(8);
    expect(waiting).toHaveLength(51);
    waiting[0]!.resolve(answerTo(waiting[0]!.query, 1));
    await settled();
    asks(7);
    expect(waiting).toHaveLength(52);
  });

  it('come back as whatever the upstream has said, which does the agent no harm', async () => {
    for (const bytes of [new Uint8Array(12), new Uint8Array(400).fill(0xff), new Uint8Array(2_000).fill(0xc0)]) {
      asks();
      waiting.at(-1)!.resolve(bytes);
    }
    await settled();
    expect(sent).toHaveLength(3);
  });
});
