/**
 * Whatever a guest sends to those who answer it: no failure, nothing to anybody else, nothing of another tenant, and no more packets than came.
 */
import { createSchedule, type Runtime } from '@alcor/runtime';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  Dataplane,
  decodeFrame,
  encodeFrame,
  type Packet,
  MemorySwitch,
  type PacketOut,
  pipeline,
  type TableName,
  tables,
} from './dataplane/index.ts';
import { GuestServices } from './guest-services.ts';
import { HeldState } from './held-state.ts';
import { OnDemand } from './on-demand.ts';
import { goalsOfBoth, properFrames, VNI } from './testing/two-tenants.ts';

const never = new AbortController().signal;
/** What the other tenant has and nobody else may hear of: a name, a name server, a network behind a route. */
const secrets = [Buffer.from('hidden').toString('hex'), 'c6336463', 'cb0071'];

/** Proper ones with bytes changed, cut off, put in and repeated, and what is nothing at all. */
const hostile = fc.oneof(
  { arbitrary: fc.uint8Array({ maxLength: 1_600 }), weight: 1 },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom(...properFrames),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        fc.option(fc.nat()),
        fc.uint8Array({ maxLength: 200 }),
        fc.option(fc.tuple(fc.nat(), fc.nat(40))),
      )
      .map(([bytes, changes, cut, more, repeat]) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, value] of changes) changed[at % changed.length] = value;
        const from = repeat === null ? 0 : repeat[0] % changed.length;
        const again = Array.from({ length: repeat?.[1] ?? 0 }, () => changed.subarray(from));
        const whole = Buffer.concat([changed, more, ...again]).subarray(0, 9_000);
        return Uint8Array.from(cut === null ? whole : whole.subarray(0, cut % (whole.length + 1)));
      }),
    weight: 9,
  },
);

/** Not those of routers' gateways, which ask of machines on a wire. */
const outward: readonly TableName[] = ['arriving', 'departing', 'translation', 'outsideHop'];
const asking = tables.filter((name) => pipeline[name].toAgent === true && !outward.includes(name));
const registers = fc.record({ reg4: fc.nat(), reg5: fc.nat(1), reg8: fc.nat(), reg14: fc.nat(1) });

describe('packets that a guest makes as it likes', () => {
  let dataplane: Dataplane;
  let memory: MemorySwitch;
  let services: GuestServices;
  let onDemand: OnDemand;
  let sent: PacketOut[];
  let [ofport, others] = [0, 0];

  beforeEach(async () => {
    const { clock } = createSchedule();
    const asks = { open: nobody, call: nobody, serve: nobody } as unknown as Runtime['transport'];
    const runtime: Runtime = { clock, transport: asks, random: { next: () => 0.5, bytes: (n) => new Uint8Array(n) } };
    sent = [];
    memory = new MemorySwitch();
    dataplane = new Dataplane({ switch: memory, hostIp: '192.0.2.1', clock });
    await dataplane.start(never);
    [ofport, others] = [memory.plug('p'), memory.plug('q')];
    onDemand = new OnDemand({
      runtime,
      dataplane: { send: (packets) => void sent.push(...packets), uses: (match, signal) => dataplane.uses(match, signal) },
      onIdle: () => undefined,
    onExpired: () => undefined,
      log: () => undefined,
    }); // prettier-ignore
    onDemand.start(never);
    const held = new HeldState({ sink: dataplane, clock, learner: onDemand });
    const stream = held.openStream();
    held.begin(stream, ['w'], ['v']);
    held.apply(
      stream,
      goalsOfBoth.map((goal) => ({ goal, removed: false })),
    );
    await dataplane.flush(never);
    services = new GuestServices({
      held,
      dataplane: {
        portAt: (at) => dataplane.portAt(at),
        interfaceAt: (vni, to) => dataplane.interfaceAt(vni, to),
        interfacesOn: (vni) => dataplane.interfacesOn(vni),
        pluggedPorts: () => dataplane.pluggedPorts(),
        send: (packets) => void sent.push(...packets),
      },
      clock,
      random: runtime.random,
    });
  });

  it('are decoded as far as they go', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const { headers, payload } = decodeFrame(bytes);
        expect(payload.length).toBeLessThanOrEqual(bytes.length);
        expect(Object.values(headers).every((value) => Number(value) >= 0)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it('are answered to who sent them, or not at all', () => {
    let answers = 0;
    fc.assert(
      fc.property(hostile, fc.constantFrom(...asking), registers, (bytes, table, known) => {
        sent = [];
        const context = { inPort: ofport, vni: VNI, registers: { reg0: ofport, ...known } };
        const packet = { table, context, frame: bytes };
        if (!services.onPacket(packet)) onDemand.onPacket(packet);
        answers += sent.length;
        expect(sent.length).toBeLessThanOrEqual(1);
        for (const answer of sent) {
          expect(answer.context).toMatchObject({ vni: VNI });
          expect(answer.context.registers.reg1 ?? ofport).toBe(ofport);
          expect(answer.frame.length).toBeLessThanOrEqual(bytes.length + 1_414);
          const said = Buffer.from(answer.frame).toString('hex');
          const asked = Buffer.from(bytes).toString('hex');
          for (const secret of secrets) expect(said.includes(secret) && !asked.includes(secret)).toBe(false);
        }
      }),
      { numRuns: 20_000 },
    );
    // Many are near enough to what is proper to be answered, or the test would show nothing.
    expect(answers).toBeGreaterThan(800);
    expect(onDemand.describe().held).toBeLessThanOrEqual(1_000);
  });

  it('go to no port of another tenant', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const { headers } = decodeFrame(bytes);
        // Packets are fields to the switch in memory: it has none that are cut off.
        fc.pre(isWhole(headers));
        for (const { port, packet } of memory.walk(headers, ofport).outputs) {
          expect(port).not.toBe(others);
          if (port === memory.tunnelPort) expect(packet.tunnel_id).toBe(BigInt(VNI));
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

function isWhole(headers: Packet): boolean {
  try {
    return encodeFrame(headers).length > 14;
  } catch {
    return false;
  }
}

function nobody(): Promise<never> {
  return Promise.reject(new Error('nobody answers'));
}
