import { ipv4, ipv4Text, mac } from '@alcor/openflow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, NO_PORT, type LocalPort, type PacketIn } from '../dataplane/index.ts';
import type { Lease } from './options.ts';
import { answerDhcp } from './server.ts';

const port: LocalPort = {
  id: 'p',
  vpcId: 'vpc',
  vni: 100,
  mac: '02:00:00:00:00:05',
  ips: ['10.0.0.5'],
  adminStateUp: true,
  portSecurityEnabled: true,
  revision: 1,
};

const lease: Lease = {
  ip: '10.0.0.5',
  cidr: '10.0.0.0/22',
  gateway: '10.0.0.1',
  dnsServers: ['192.0.2.53', '192.0.2.54'],
  routes: [{ destination: '10.9.128.0/17', nextHop: '10.0.0.9' }],
  mtu: 1400,
  hostName: 'web',
  domain: 'corp.example',
  extra: [],
};

/** A client's message: the bytes of RFC 2131 section 2, with these options. */
function message(
  options: readonly (readonly [number, readonly number[]])[],
  changes: { ciaddr?: string; flags?: number; chaddr?: string } = {},
): Uint8Array {
  const fixed = Buffer.alloc(240);
  fixed.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
  fixed.writeUInt16BE(changes.flags ?? 0, 10);
  fixed.writeUInt32BE(ipv4(changes.ciaddr ?? '0.0.0.0'), 12);
  fixed.writeUIntBE(mac(changes.chaddr ?? port.mac), 28, 6);
  fixed.writeUInt32BE(0x63825363, 236);
  return Buffer.concat([
    fixed,
    ...options.map(([code, value]) => Buffer.from([code, value.length, ...value])),
    Buffer.from([255]),
  ]);
}

function packetOf(payload: Uint8Array, reg0 = 7): PacketIn {
  const frame = { eth_src: mac(port.mac), eth_dst: 0xffff_ffff_ffff, eth_type: 0x0800, ip_proto: 17 };
  const ends = { ipv4_src: 0, ipv4_dst: 0xffff_ffff, udp_src: 68, udp_dst: 67 };
  return {
    table: 'services',
    context: { inPort: 7, vni: 100, registers: { reg0 } },
    frame: encodeFrame({ ...frame, ...ends }, payload),
  };
}

const portAt = (ofport: number): LocalPort | undefined => (ofport === 7 ? port : undefined);

function answer(payload: Uint8Array, of: Lease | undefined = lease) {
  return answerDhcp(packetOf(payload), { portAt, leaseOf: () => of });
}

interface Answer {
  readonly to: string;
  readonly ethernet: number;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly xid: number;
  readonly options: { readonly [code: number]: readonly number[] };
}

function read(payload: Uint8Array, of?: Lease): Answer {
  const [packet] = answer(payload, of);
  expect(packet).toMatchObject({ table: 'output', context: { inPort: NO_PORT, vni: 100, registers: { reg1: 7 } } });
  const { headers, payload: body } = decodeFrame(packet!.frame);
  expect(headers).toMatchObject({ ip_proto: 17, udp_src: 67, udp_dst: 68, ipv4_src: ipv4('10.0.0.1') });
  const bytes = Buffer.from(body);
  expect([bytes[0], bytes.readUInt32BE(236)]).toEqual([2, 0x63825363]);
  const options: { [code: number]: number[] } = {};
  for (let at = 240; bytes[at] !== 255; at += 2 + bytes[at + 1]!)
    options[bytes[at]!] = [...(options[bytes[at]!] ?? []), ...bytes.subarray(at + 2, at + 2 + bytes[at + 1]!)];
  return {
    to: ipv4Text(Number(headers.ipv4_dst)),
    ethernet: Number(headers.eth_dst),
    yiaddr: ipv4Text(bytes.readUInt32BE(16)),
    siaddr: ipv4Text(bytes.readUInt32BE(20)),
    xid: bytes.readUInt32BE(4),
    options,
  };
}

const address = (text: string): number[] => text.split('.').map(Number);

describe('DHCP', () => {
  it('offers a port its address and what is known of its subnet', () => {
    const offer = read(message([[53, [1]]]));
    expect(offer).toMatchObject({ to: '10.0.0.5', ethernet: mac(port.mac), yiaddr: '10.0.0.5', xid: 0xdeadbeef });
    expect(offer.options).toEqual({
      53: [2],
      54: address('10.0.0.1'),
      51: [0, 1, 0x51, 0x80],
      1: address('255.255.252.0'),
      3: address('10.0.0.1'),
      // RFC 3442: as many bytes of the network as its prefix needs; the default with them.
      121: [17, 10, 9, 128, ...address('10.0.0.9'), 0, ...address('10.0.0.1')],
      26: [0x05, 0x78],
      6: [...address('192.0.2.53'), ...address('192.0.2.54')],
      12: [...Buffer.from('web')],
      15: [...Buffer.from('corp.example')],
      28: address('10.0.3.255'),
    });
  });

  it.each([
    ['its own address', [[50, address('10.0.0.5')]], {}, 5, '10.0.0.5'],
    ['another address', [[50, address('10.0.0.6')]], {}, 6, '255.255.255.255'],
    ['its own address again', [], { ciaddr: '10.0.0.5' }, 5, '10.0.0.5'],
    ['an address that it had elsewhere', [], { ciaddr: '10.7.0.5' }, 6, '255.255.255.255'],
    ['its own address, by broadcast', [[50, address('10.0.0.5')]], { flags: 0x8000 }, 5, '255.255.255.255'],
    ['nothing in particular', [], {}, 6, '255.255.255.255'],
  ] as const)('answers who requests %s', (_, options, changes, type, to) => {
    const reply = read(message([[53, [3]], ...options], changes));
    expect([reply.options[53], reply.to]).toEqual([[type], to]);
    expect(reply.yiaddr).toBe(type === 5 ? '10.0.0.5' : '0.0.0.0');
    if (type === 6) expect(Object.keys(reply.options)).toEqual(['53', '54']);
  });

  it('tells who only wants to know, without a lease', () => {
    const reply = read(message([[53, [8]]], { ciaddr: '10.0.0.5' }));
    expect(reply).toMatchObject({
      to: '10.0.0.5',
      yiaddr: '0.0.0.0',
      options: { 53: [5], 1: address('255.255.252.0') },
    });
    expect(reply.options[51]).toBeUndefined();
  });

  it('is silent where nothing is to be said', () => {
    const silent = [
      message([[53, [1]]], { chaddr: '02:00:00:00:00:99' }),
      message([
        [53, [3]],
        [54, address('10.0.0.66')],
        [50, address('10.0.0.5')],
      ]),
      message([[53, [7]]]),
      message([]),
    ];
    for (const payload of silent) expect(answer(payload)).toEqual([]);
    expect(answerDhcp(packetOf(message([[53, [1]]])), { portAt: () => port, leaseOf: () => undefined })).toEqual([]);
  });

  it('takes the extra options of a port for the subnet’s own, and leaves out those that it does not know', () => {
    const extra = [
      { name: 'mtu', value: '1300' },
      { name: 'bootfile-name', value: 'pxe.0' },
      { name: 'server-ip-address', value: '192.0.2.9' },
      { name: 'dns-server', value: '192.0.2.1, 192.0.2.2' },
      { name: '150', value: '192.0.2.3' },
      { name: '224', value: 'x' },
      { name: '225', value: '513' },
      { name: '226', value: '0a:ff' },
      { name: 'domain-search', value: 'a.example, b.example.' },
      { name: 'ip-forward-enable', value: '1' },
      { name: 'tftp-server', value: 'boot.example' },
      { name: 'classless-static-route', value: '10.8.0.0/16,10.0.0.7' },
      { name: 'domain-name', value: 'x'.repeat(9) },
      { name: 'ntp-server', value: '192.0.2.1, 2001:db8::1' },
      { name: 'default-ttl', value: '256' },
      { name: 'router', value: 'not an address' },
      { name: '53', value: 'mine' },
      { name: 'no such option', value: 'x' },
    ];
    const offer = read(message([[53, [1]]]), { ...lease, extra, routes: [] });
    expect(offer.siaddr).toBe('192.0.2.9');
    expect(offer.options).toMatchObject({
      26: [0x05, 0x14],
      67: [...Buffer.from('pxe.0')],
      6: [...address('192.0.2.1'), ...address('192.0.2.2')],
      150: address('192.0.2.3'),
      224: [...Buffer.from('x')],
      225: [2, 1],
      226: [0x0a, 0xff],
      119: [...Buffer.from('\x01a\x07example\0\x01b\x07example\0')],
      19: [1],
      66: [...Buffer.from('boot.example')],
      121: [16, 10, 8, ...address('10.0.0.7')],
      15: [...Buffer.from('xxxxxxxxx')],
      3: address('10.0.0.1'),
      53: [2],
    });
    expect(offer.options[42]).toBeUndefined();
    expect(offer.options[23]).toBeUndefined();
  });

  it('leaves out what an extra option has no value for', () => {
    const extra = [
      { name: 'router', value: '' },
      { name: 'classless-static-route', value: '' },
    ];
    const { options } = read(message([[53, [1]]]), { ...lease, extra });
    expect([options[3], options[121]]).toEqual([undefined, undefined]);
    const routed = read(message([[53, [1]]]), { ...lease, extra: extra.slice(0, 1) });
    expect(routed.options[121]).toEqual([17, 10, 9, 128, ...address('10.0.0.9')]);
  });

  it('says routes also by the number that Microsoft gave them, to who asks for that', () => {
    const asked = read(message([[53, [1]], [55, [1, 3, 249]]])).options; // prettier-ignore
    expect(asked[249]).toEqual(asked[121]);
    expect(read(message([[53, [1]]])).options[249]).toBeUndefined();
  });

  it('says as much as the client takes, the important first', () => {
    const routes = Array.from({ length: 60 }, (_, n) => ({ destination: `10.200.${n}.0/24`, nextHop: '10.0.0.9' }));
    const least = read(message([[53, [1]]]), { ...lease, routes });
    expect(least.options[121]).toBeUndefined();
    expect(least.options[3]).toEqual(address('10.0.0.1'));
    const most = read(
      message([
        [53, [1]],
        [57, [0x05, 0xdc]],
      ]),
      { ...lease, routes },
    );
    // In parts of 255 bytes (RFC 3396).
    expect(most.options[121]).toHaveLength(60 * 8 + 5);
  });

  it('neither fails nor answers anybody else, whatever is sent', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([message([[53, [1]]]).subarray(0, 243), rest])),
    );
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 14 }), (payload, cut) => {
        for (const packet of answer(payload)) {
          expect(packet.context.registers).toEqual({ reg1: 7 });
          expect(packet.frame.length).toBeLessThanOrEqual(1414);
        }
        const { frame, ...rest } = packetOf(payload);
        const cutOff = { ...rest, frame: frame.subarray(0, frame.length - cut) };
        expect(() => answerDhcp(cutOff, { portAt: () => port, leaseOf: () => lease })).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
