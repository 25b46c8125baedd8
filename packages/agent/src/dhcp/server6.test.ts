import { ipv6, mac } from '@alcor/openflow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrame, encodeFrame, NO_PORT, type LocalPort, type PacketIn } from '../dataplane/index.ts';
import type { Lease6 } from './options6.ts';
import { answerDhcp6 } from './server6.ts';

const port: LocalPort = {
  id: 'p',
  vpcId: 'vpc',
  vni: 100,
  mac: '02:00:00:00:00:05',
  ips: ['fd00::5'],
  adminStateUp: true,
  portSecurityEnabled: true,
  revision: 1,
};
const lease: Lease6 = { ips: ['fd00::5'], dnsServers: ['2001:db8::53'], hostName: 'web', domain: '', extra: [] };
const stateless: Lease6 = { ...lease, ips: [] };

const CLIENT = '0001000a00030001020000000005';
const SERVER = '0002000a0003000102005e000067';
const address = (ip: string): string => ipv6(ip).toString(16).padStart(32, '0');
/** An identity association with these addresses; RFC 8415 section 21.4, 21.6. */
const identity = (...ips: readonly string[]): string =>
  `0003${(12 + 28 * ips.length).toString(16).padStart(4, '0')}00000007${'00'.repeat(8)}${ips.map((ip) => `00050018${address(ip)}${'00'.repeat(8)}`).join('')}`;
const given = (ip: string, times: string): string => `00050018${address(ip)}${times}`;
const DNS = `00170010${address('2001:db8::53')}`;
const TIMES = '0000a8c000015180';

function packetOf(payload: Uint8Array): PacketIn {
  const frame = { eth_src: mac(port.mac), eth_dst: 0x333300010002, eth_type: 0x86dd, ip_proto: 17 };
  const ends = { ipv6_src: ipv6('fe80::ff:fe00:5'), ipv6_dst: ipv6('ff02::1:2'), udp_src: 546, udp_dst: 547 };
  return {
    table: 'services',
    context: { inPort: 7, vni: 100, registers: { reg0: 7 } },
    frame: encodeFrame({ ...frame, ...ends }, payload),
  };
}

/** What is answered to the message, in hexadecimal; null: nothing. */
function answer(message: string, of: Lease6 = lease): string | null {
  const [packet] = answerDhcp6(packetOf(Buffer.from(message, 'hex')), { portAt: () => port, leaseOf: () => of });
  if (packet === undefined) return null;
  expect(packet).toMatchObject({ table: 'output', context: { inPort: NO_PORT, vni: 100, registers: { reg1: 7 } } });
  const { headers, payload } = decodeFrame(packet.frame);
  const to = { eth_dst: mac(port.mac), ipv6_dst: ipv6('fe80::ff:fe00:5'), udp_src: 547, udp_dst: 546 };
  expect(headers).toMatchObject(to);
  return Buffer.from(payload).toString('hex');
}

test.each([
  ['offers the address', `01abcdef${CLIENT}${identity()}`, '02'],
  ['gives it at once to who asks so', `01abcdef${CLIENT}000e0000${identity()}`, '07'],
  ['gives it to who requests', `03abcdef${CLIENT}${SERVER}${identity('fd00::5')}`, '07'],
  ['goes on giving it', `05abcdef${CLIENT}${SERVER}${identity('fd00::5')}`, '07'],
  ['goes on giving it to who has lost its server', `06abcdef${CLIENT}${identity('fd00::5')}`, '07'],
])('a stateful subnet %s', (_, message, type) => {
  const rapid = message.includes('000e0000') ? '000e0000' : '';
  const wanted = [
    type,
    'abcdef',
    CLIENT,
    SERVER,
    rapid,
    '0003002800000007',
    '00005460',
    '00008700',
    given('fd00::5', TIMES),
    DNS,
  ];
  expect(answer(message)).toBe(wanted.join(''));
});

test('an address that a guest should not have is at its end', () => {
  const said = answer(`05abcdef${CLIENT}${SERVER}${identity('fd00::9')}`);
  expect(said).toContain(given('fd00::9', '00'.repeat(8)));
  expect(said).toContain(given('fd00::5', TIMES));
});

test.each([
  ['its own', 'fd00::5', '0000'],
  ['another', 'fd00::9', '0004'],
])('a guest that confirms %s address is told whether it may have it', (_, ip, code) => {
  expect(answer(`04abcdef${CLIENT}${identity(ip)}`)).toBe(`07abcdef${CLIENT}${SERVER}000d0002${code}${DNS}`);
});

test('a stateless subnet has no address to give, and says the rest', () => {
  expect(answer(`01abcdef${CLIENT}${identity()}`, stateless)).toContain('000d00020002');
  expect(answer('0babcdef000600020017', stateless)).toBe(`07abcdef${SERVER}${DNS}`);
});

const text = (value: string): string => Buffer.from(value).toString('hex');

test('the domain is said, and the whole name to who asks for it', () => {
  const named = { ...stateless, dnsServers: [], domain: 'corp.example' };
  const domain = `0018000e04${text('corp')}07${text('example')}00`;
  expect(answer('0babcdef', named)).toBe(`07abcdef${SERVER}${domain}`);
  const name = `002700130003${text('web')}04${text('corp')}07${text('example')}00`;
  expect(answer('0babcdef000600020027', named)).toBe(`07abcdef${SERVER}${domain}${name}`);
});

test('extra options of a port stand for the subnet’s own, and none is longer than what fits', () => {
  const bootfile = 'tftp://[2001:db8::3]/x';
  const extra = [
    { name: 'dns-server', value: '2001:db8::1, 2001:db8::2' },
    { name: 'bootfile-url', value: bootfile },
    { name: 'bootfile-param', value: 'a,bc' },
    { name: 'ntp-server', value: '2001:db8::4' },
    { name: '65000', value: 'x'.repeat(255) },
    { name: 'domain-search', value: 'not..a.name' },
    { name: '3', value: 'mine' },
    ...Array.from({ length: 10 }, (_, n) => ({ name: String(2_000 + n), value: 'x'.repeat(255) })),
    { name: 'information-refresh-time', value: '600' },
  ];
  const said = answer('0babcdef', { ...stateless, extra })!;
  expect(said).toContain(`00170020${address('2001:db8::1')}${address('2001:db8::2')}`);
  expect(said).not.toContain(DNS);
  expect(said).toContain(`003b0016${text(bootfile)}`);
  expect(said).toContain('003c000700016100026263');
  expect(said).toContain(`0038001400010010${address('2001:db8::4')}`);
  expect(said).toContain(`fde800ff${'78'.repeat(255)}`);
  expect(said).toContain('0020000400000258');
  expect(said).not.toContain(text('mine'));
  expect(said.length / 2).toBeLessThanOrEqual(1_232);
});

test.each([
  ['another server', `03abcdef${CLIENT}0002000a00030001020000000099${identity()}`],
  ['nobody', `01abcdef${identity()}`],
  ['a server', `02abcdef${CLIENT}${SERVER}`],
  ['nothing whole', `01abcdef${CLIENT.slice(0, 12)}`],
])('nothing is said to what is for %s', (_, message) => {
  expect(answer(message)).toBeNull();
});

test('neither fails nor answers with more than fits, whatever is sent', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 1400 }),
    fc
      .tuple(
        fc.nat(12),
        fc.array(fc.constantFrom(CLIENT, SERVER, identity(), identity('fd00::9'), '00030004'), { maxLength: 40 }),
      )
      .map(([type, parts]) => Buffer.from(`${type.toString(16).padStart(2, '0')}abcdef${parts.join('')}`, 'hex')),
  );
  fc.assert(
    fc.property(bytes, (payload) => {
      for (const packet of answerDhcp6(packetOf(payload), { portAt: () => port, leaseOf: () => lease }))
        expect(packet.frame.length).toBeLessThan(payload.length + 400);
    }),
    { numRuns: 500 },
  );
});
