import { type Goal, NeighborConfiguration, PortConfiguration, SubnetConfiguration } from '@alcor/contract';
import { Buffer } from 'node:buffer';
import { decode, encode, RECURSION_DESIRED, type RecordType } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { answerDns } from './answer.ts';
import { NameIndex } from './name-index.ts';
import type { Zone } from './resolve.ts';

interface Named {
  readonly id: string;
  readonly ips: readonly string[];
  readonly dnsName?: string;
  readonly dnsDomain?: string;
}

const fixed = (ips: readonly string[]) => ips.map((ipAddress) => ({ subnetId: 's', ipAddress }));
const port = ({ id, ips, ...name }: Named): Goal => ({
  kind: 'port',
  state: PortConfiguration.fromPartial({ id, fixedIps: fixed(ips), ...name }),
});
const neighbor = ({ id, ips, ...name }: Named): Goal => ({
  kind: 'neighbor',
  state: NeighborConfiguration.fromPartial({ id, fixedIps: fixed(ips), ...name }),
});
const subnet = (id: string, cidr: string): Goal => ({
  kind: 'subnet',
  state: SubnetConfiguration.fromPartial({ id, cidr }),
});

const db = { id: 'db', ips: ['10.0.0.5', 'fd00::5'], dnsName: 'Db' };
const goals = [
  subnet('four', '10.0.0.0/24'),
  subnet('six', 'fd00::/64'),
  port(db),
  neighbor(db),
  neighbor({ id: 'web', ips: ['10.0.0.7'], dnsName: 'web', dnsDomain: 'shop.example.' }),
  neighbor({ id: 'web2', ips: ['10.0.0.8'], dnsName: 'web' }),
  neighbor({ id: 'whole', ips: ['fd00::9'], dnsName: 'a.b.example.' }),
  neighbor({ id: 'nameless', ips: ['10.0.0.11'] }),
];

function zoneOf(all: readonly Goal[] = goals, changes: Partial<Zone> = {}): Zone {
  const index = new NameIndex();
  for (const goal of all) index.replace(undefined, goal);
  return { index, domains: ['corp.example.', 'openstacklocal.'], isWhole: true, ...changes };
}

function ask(name: string, type: RecordType, zone = zoneOf()) {
  const asked = encode({ type: 'query', id: 77, flags: RECURSION_DESIRED, questions: [{ name, type }] });
  const answer = answerDns(asked, zone, false);
  if (answer === null || answer === 'upstream') return answer;
  const { id, questions, answers, ...said } = decode(Buffer.from(answer));
  expect([id, questions, said.flag_qr, said.flag_rd, said.flag_tc]).toEqual([
    77,
    [{ name, type, class: 'IN' }],
    true,
    true,
    false,
  ]);
  const data = (answers ?? []).map((each) => ('data' in each ? each.data : ''));
  return { rcode: (said as unknown as { rcode: string }).rcode, authority: said.flag_aa, data };
}

const told = (...data: readonly string[]) => ({ rcode: 'NOERROR', authority: true, data });

describe('a name of a network', () => {
  it.each([
    ['db.corp.example', 'A', ['10.0.0.5']],
    ['dB.Corp.Example', 'AAAA', ['fd00::5']],
    ['db.openstacklocal', 'A', ['10.0.0.5']],
    ['db', 'A', ['10.0.0.5']],
    ['web.shop.example', 'A', ['10.0.0.7']],
    ['web.corp.example', 'A', ['10.0.0.7', '10.0.0.8']],
    ['a.b.example', 'AAAA', ['fd00::9']],
    ['host-10-0-0-11.corp.example', 'A', ['10.0.0.11']],
    ['host-fd00-7.openstacklocal', 'AAAA', ['fd00::7']],
    ['host-fd00-1-2-3-4', 'AAAA', ['fd00::1:2:3:4']],
    ['db.corp.example', 'MX', []],
    ['5.0.0.10.in-addr.arpa', 'PTR', ['Db.corp.example']],
    ['7.0.0.10.in-addr.arpa', 'PTR', ['web.shop.example']],
    ['11.0.0.10.in-addr.arpa', 'PTR', ['host-10-0-0-11.corp.example']],
    [`5.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, 'PTR', ['Db.corp.example']],
    [`9.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, 'PTR', ['a.b.example']],
  ] as const)('%s %s', (name, type, data) => {
    expect(ask(name, type)).toEqual(told(...data));
  });

  it.each([
    ['nobody.openstacklocal', 'NXDOMAIN'],
    ['nobody', 'NXDOMAIN'],
    ['host-10-9-9-9', 'NXDOMAIN'],
    ['nobody.corp.example', 'REFUSED'],
    ['www.example.com', 'REFUSED'],
    ['5.9.9.10.in-addr.arpa', 'REFUSED'],
  ])('%s is not there: %s', (name, rcode) => {
    expect(ask(name, 'A')).toMatchObject({ rcode, data: [] });
  });

  it('that is not known may be there, where this host is not told of all ports', () => {
    const zone = zoneOf(goals, { isWhole: false });
    expect(ask('nobody.openstacklocal', 'A', zone)).toMatchObject({ rcode: 'SERVFAIL' });
    expect(ask('nobody.corp.example', 'A', zone)).toMatchObject({ rcode: 'SERVFAIL' });
    expect(ask('db', 'A', zone)).toEqual(told('10.0.0.5'));
    expect(ask('www.example.com', 'A', zone)).toMatchObject({ rcode: 'REFUSED' });
  });

  it('is of the ports that are there: renamed, moved and gone ones leave nothing behind', () => {
    const index = new NameIndex();
    const zone = zoneOf([], { index });
    const before = neighbor({ id: 'x', ips: ['10.0.0.5'], dnsName: 'x' });
    const after = neighbor({ id: 'x', ips: ['10.0.0.6'], dnsName: 'y' });
    index.replace(undefined, before);
    index.replace(before, after);
    expect(ask('x', 'A', zone)).toMatchObject({ rcode: 'NXDOMAIN' });
    expect(ask('y', 'A', zone)).toEqual(told('10.0.0.6'));
    expect(ask('5.0.0.10.in-addr.arpa', 'PTR', zone)).toMatchObject({ rcode: 'REFUSED' });
    index.replace(after, undefined);
    expect(ask('y', 'A', zone)).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  it('of one network means nothing in another', () => {
    const other = zoneOf([neighbor({ id: 'db2', ips: ['10.0.0.99'], dnsName: 'db' })]);
    expect(ask('db', 'A', other)).toEqual(told('10.0.0.99'));
    expect(ask('web', 'A', other)).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  it('with many ports is told as far as the client takes it', () => {
    const many = Array.from({ length: 99 }, (_, n) => neighbor({ id: `n${n}`, ips: [`fd00::${n}`], dnsName: 'many' }));
    expect(ask('many', 'AAAA', zoneOf(many))).toMatchObject({ rcode: 'NOERROR', data: { length: 15 } });
    const opt = { type: 'OPT', name: '.', udpPayloadSize: 4_096, flags: 0, options: [] } as const;
    const large = encode({ type: 'query', questions: [{ name: 'many', type: 'AAAA' }], additionals: [opt as never] });
    const answer = answerDns(large, zoneOf(many), false);
    expect(answer).toBeInstanceOf(Uint8Array);
    expect(decode(Buffer.from(answer as Uint8Array)).answers).toHaveLength(32);
  });
});

const query = (changes: object): Uint8Array =>
  encode({ type: 'query', id: 9, questions: [{ name: 'db', type: 'A' }], ...changes });

function rcodeOf(bytes: Uint8Array): number | null {
  const answer = answerDns(bytes, zoneOf(), false);
  return answer === null || answer === 'upstream' ? null : answer[3]! & 0xf;
}

describe('what is no plain question', () => {
  it.each([
    ['an answer', query({ type: 'response' }), null],
    ['nothing whole', query({}).subarray(0, 11), null],
    ['cut off', query({}).subarray(0, 14), 1],
    ['two questions', query({ questions: [{ name: 'db', type: 'A' }, { name: 'db', type: 'A' }] }), 1], // prettier-ignore
    ['an update', query({ flags: 5 << 11 }), 4],
    ['another class', query({ questions: [{ name: 'db', type: 'A', class: 'CH' }] }), 5],
    ['a name of bytes', query({ questions: [{ name: 'd\u0000b', type: 'A' }] }), 1],
  ])('%s', (_, bytes, rcode) => {
    expect(rcodeOf(bytes)).toBe(rcode);
  });
});
