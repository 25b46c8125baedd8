import { ipv4, mac } from '@alcor/openflow';
import { createSchedule, type Schedule, seededRandom } from '@alcor/runtime';
import fc from 'fast-check';
import type { Duplex } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame, HOST_IP, HOST_MAC, type LocalPort, NO_PORT, type PacketOut } from '../dataplane/index.ts';
import { Endpoint } from './endpoint.ts';
import { decodeSegment, encodeAnswer, FLAG, type Segment } from './segment.ts';

const port: LocalPort = {
  id: 'p',
  vpcId: 'v',
  vni: 7,
  mac: '02:00:00:00:00:05',
  ips: ['10.0.0.5'],
  adminStateUp: true,
  portSecurityEnabled: true,
  revision: 1,
};
const { syn, ack, fin, rst } = FLAG;
const nothing = new Uint8Array(0);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const sum = (all: readonly Segment[]): number => all.reduce((total, { data }) => total + data.length, 0);

/** A guest's end of connections, as far as tests need it. */
class Guest {
  readonly schedule: Schedule = createSchedule();
  readonly streams: Duplex[] = [];
  readonly endpoint: Endpoint;
  sent: PacketOut[] = [];

  constructor(isOpen = true) {
    this.endpoint = new Endpoint({
      clock: this.schedule.clock,
      random: seededRandom(3),
      send: (packets) => void this.sent.push(...packets),
      portAt: (ofport) => (ofport === 9 ? port : undefined),
      accept: isOpen ? (stream) => void this.streams.push(stream.on('error', () => undefined)) : undefined,
    });
  }

  say(changes: Partial<Segment>, tcp_src = 1_000): void {
    const segment = { sequence: 500, acknowledged: 0, flags: ack, window: 65_535, most: 0, data: nothing, ...changes };
    // `encodeAnswer` turns the ends, so these are the host's.
    const host = { eth_src: mac(HOST_MAC), eth_dst: mac(port.mac), eth_type: 0x0800 };
    const ends = { ipv4_src: ipv4(HOST_IP), ipv4_dst: ipv4('10.0.0.5'), tcp_src: 80, tcp_dst: tcp_src };
    this.give(encodeAnswer({ ...host, ...ends }, segment));
  }

  give(frame: Uint8Array): void {
    this.endpoint.onPacket({ table: 'services', context: { inPort: 9, vni: 7, registers: { reg0: 9 } }, frame });
  }

  /** What has been answered since. */
  heard(): Segment[] {
    const all = this.sent.map(({ frame }) => decodeSegment(frame)!);
    this.sent = [];
    return all;
  }

  /** Answers with the number that the host's first byte has. */
  open(most = 1_000): number {
    this.say({ flags: syn, most });
    const [opening] = this.heard();
    expect(opening).toMatchObject({ flags: syn | ack, acknowledged: 501 });
    const first = (opening!.sequence + 1) >>> 0;
    this.say({ sequence: 501, acknowledged: first });
    return first;
  }
}

describe('a connection from a guest to its host', () => {
  let guest: Guest;
  beforeEach(() => {
    guest = new Guest();
  });

  it('carries bytes both ways, in order, and ends when both have ended it', async () => {
    const first = guest.open();
    const [stream] = guest.streams;
    const read: string[] = [];
    stream!.on('data', (data: Buffer) => read.push(data.toString()));
    guest.say({ sequence: 504, acknowledged: first, data: Buffer.from('lo') });
    guest.say({ sequence: 501, acknowledged: first, data: Buffer.from('hel') });
    guest.say({ sequence: 501, acknowledged: first, data: Buffer.from('hello') });
    expect(guest.heard().map(({ acknowledged }) => acknowledged)).toEqual([501, 504, 506]);
    await settled();
    expect(read.join('')).toBe('hello');
    stream!.end(Buffer.alloc(1_500, 'x'));
    await settled();
    const said = guest.heard();
    expect(said.map(({ sequence, data, flags }) => [(sequence - first) | 0, data.length, (flags & fin) > 0])).toEqual([
      [0, 1_000, false],
      [1_000, 500, false],
      [1_500, 0, true],
    ]);
    guest.say({ sequence: 506, acknowledged: (first + 1_501) >>> 0, flags: ack | fin });
    expect(guest.heard()).toMatchObject([{ acknowledged: 507, flags: ack }]);
    expect(guest.endpoint.size).toBe(0);
  });

  it('says again what is not confirmed, and gives up in the end', async () => {
    const first = guest.open();
    guest.streams[0]!.write(Buffer.from('lost'));
    await settled();
    await guest.schedule.run(1_000);
    const said = guest.heard();
    expect(said.length).toBeGreaterThan(1);
    for (const { sequence, data } of said) expect([sequence, Buffer.from(data).toString()]).toEqual([first, 'lost']);
    await guest.schedule.run(60_000);
    expect(guest.heard().at(-1)!.flags & rst).toBe(rst);
    expect(guest.endpoint.size).toBe(0);
  });

  it('sends no more than the guest has room for, and goes on when it has', async () => {
    guest.say({ flags: syn, most: 1_000 });
    const first = (guest.heard()[0]!.sequence + 1) >>> 0;
    guest.say({ sequence: 501, acknowledged: first, window: 600 });
    guest.streams[0]!.write(Buffer.alloc(2_000));
    await settled();
    expect(sum(guest.heard())).toBe(600);
    guest.say({ sequence: 501, acknowledged: (first + 600) >>> 0, window: 65_535 });
    expect(sum(guest.heard())).toBe(1_400);
  });

  it('carries much, as fast as the guest confirms it', async () => {
    const first = guest.open(1_400);
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
    guest.streams[0]!.end(sent);
    let got = Buffer.alloc(0);
    for (let turn = 0; got.length < sent.length && turn < 1_000; turn++) {
      await settled();
      got = Buffer.concat([got, ...guest.heard().map(({ data }) => data)]);
      guest.say({ sequence: 501, acknowledged: (first + got.length) >>> 0 });
    }
    got = Buffer.concat([got, ...guest.heard().map(({ data }) => data)]);
    expect(got.equals(sent)).toBe(true);
  });

  it('is refused where nobody speaks, and what belongs to none is', () => {
    const closed = new Guest(false);
    closed.say({ flags: syn });
    expect(closed.heard()).toMatchObject([{ flags: rst | ack, acknowledged: 501 }]);
    guest.say({ acknowledged: 77 });
    expect(guest.heard()).toMatchObject([{ flags: rst, sequence: 77 }]);
    guest.say({ flags: rst });
    expect(guest.heard()).toEqual([]);
  });

  it('is one of few, and forgotten when nothing comes', async () => {
    for (let n = 0; n < 20; n++) guest.say({ flags: syn }, 2_000 + n);
    const flags = guest.heard().map((each) => each.flags);
    expect(flags.filter((each) => each === (syn | ack))).toHaveLength(8);
    expect(flags.filter((each) => each === (rst | ack))).toHaveLength(12);
    await guest.schedule.run(61_000);
    expect(guest.endpoint.size).toBe(0);
  });

  it('survives what a guest makes of it', () => {
    const step = fc.record({
      sequence: fc.oneof(fc.integer({ min: 495, max: 520 }), fc.nat(0xffff_ffff)),
      ahead: fc.oneof(fc.integer({ min: -2, max: 40 }), fc.nat()),
      flags: fc.nat(63),
      window: fc.oneof(fc.nat(65_535), fc.constant(0)),
      most: fc.nat(65_535),
      data: fc.uint8Array({ maxLength: 60 }),
      source: fc.integer({ min: 1, max: 3 }),
      cut: fc.option(fc.nat(80), { freq: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const hostile = new Guest();
        let first = 0;
        for (const { ahead, source, cut, ...segment } of steps) {
          hostile.say({ ...segment, acknowledged: (first + ahead) >>> 0 }, source);
          if (cut !== null) {
            const host = { eth_src: 1, eth_dst: 2, eth_type: 0x0800, ipv4_src: 3, ipv4_dst: 4, tcp_src: 80 };
            const frame = encodeAnswer({ ...host, tcp_dst: source }, { ...segment, acknowledged: first });
            hostile.give(frame.subarray(0, cut));
          }
          hostile.give(encodeFrame({ eth_src: 1, eth_dst: 2, eth_type: 0x0800, ip_proto: 6, ipv4_src: 3, ipv4_dst: 4, tcp_src: source, tcp_dst: 80 }).subarray(0, 14 + (ahead & 63))); // prettier-ignore
          for (const stream of hostile.streams)
            if (!stream.destroyed && stream.writable) stream.write(Buffer.alloc(100));
          for (const packet of hostile.sent) {
            expect(packet.context).toEqual({ inPort: NO_PORT, vni: 7, registers: { reg1: 9 } });
            expect(packet.frame.length).toBeLessThanOrEqual(1_500);
            const said = decodeSegment(packet.frame);
            if (said !== null && (said.flags & syn) !== 0) first = (said.sequence + 1) >>> 0;
          }
          // Eight segments for each connection, and an answer to what came.
          expect(hostile.sent.length).toBeLessThanOrEqual(3 * 9 + 2);
          hostile.sent = [];
        }
        expect(hostile.endpoint.size).toBeLessThanOrEqual(8);
      }),
      { numRuns: 400 },
    );
  });
});
