/** Local IPs: guests reach by one address whichever port of their own host stands for it. */
import { both, type Case, on, type Traffic } from '../case.ts';
import { allow, everything, portRange } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
const TRANSLATED = '10.240.0.99';
const PASSED = '10.240.0.98';

const ids = new Map<string, string>();

async function localIp(site: Site, local_ip_address: string, ip_mode: string): Promise<void> {
  const { id: network_id, project: project_id } = site.networks.get('t')!;
  const body = { local_ip: { network_id, project_id, local_ip_address, ip_mode } };
  const made = await site.request<{ local_ip: { id: string } }>('POST', '/v2.0/local_ips', body);
  ids.set(local_ip_address, made.local_ip.id);
}

function associate(site: Site, ip: string, vm: string): Promise<unknown> {
  const { port, addresses } = site.vm(vm);
  const port_association = { fixed_port_id: port.id, fixed_ip: addresses[4] };
  return site.request('POST', `/v2.0/local_ips/${ids.get(ip)}/port_associations`, { port_association });
}

function dissociate(site: Site, ip: string, vm: string): Promise<unknown> {
  return site.request('DELETE', `/v2.0/local_ips/${ids.get(ip)}/port_associations/${site.vm(vm).port.id}`);
}

/** What guests may ask its port. TCP takes no answer but from the address that it asked. */
function reach(from: string, to: string, address: string, why: string): Case[] {
  return (['icmp', 'udp/53', 'tcp/80'] as const).map((traffic: Traffic) =>
    on(4, from, to, traffic, 'answered', why, { address, crosses: [] }),
  );
}

function nobody(from: string, address: string, why: string): Case[] {
  return [
    on(4, from, [], 'icmp', 'unsent', why, { address, crosses: [] }),
    { why, from, ask: 'arp', target: address, told: null },
  ];
}

export const localIps: Theme = {
  name: 'local IPs',
  short: 'li',
  async build(site) {
    await site.network('t', 240);
    await site.network('u', 240, { project: 'two' });
    await site.group('open', everything);
    await site.group('open, of two', everything, {}, 'two');
    await site.group('server', [
      { direction: 'ingress', protocol: 'icmp' },
      ...allow('ingress', 'udp', portRange(53)),
      ...allow('ingress', 'tcp', portRange(80)),
    ]);
    await site.bareGroup('to the first server', [
      { direction: 'egress', protocol: null, remote_ip_prefix: '10.240.0.21/32' },
    ]);
    const server = { groups: ['server'] };
    await site.plug({
      a: { host: 1, network: 't', number: 11, ...open },
      narrow: { host: 1, network: 't', number: 12, groups: ['to the first server'] },
      b: { host: 2, network: 't', number: 13, ...open },
      c: { host: 3, network: 't', number: 14, ...open },
      first: { host: 1, network: 't', number: 21, ...server },
      second: { host: 2, network: 't', number: 22, ...server },
      next: { host: 1, network: 't', number: 23, ...server },
      itself: { host: 1, network: 't', number: 24, ...server, also: [`${PASSED}/32`] },
      x: { host: 1, network: 'u', number: 11, groups: ['open, of two'] },
      trunk: { host: 3, network: 't', number: 31, ...open, trunk: 'parent' },
    });
    await site.plug({
      tagged: { host: 3, network: 't', number: 32, ...server, trunk: { parent: 'trunk', vlan: 7 } },
      beside: { host: 3, network: 't', number: 33, ...open, trunk: { parent: 'trunk', vlan: 8 } },
    });
    await localIp(site, TRANSLATED, 'translate');
    await localIp(site, PASSED, 'passthrough');
  },
  stages: [
    { when: 'without ports', cases: [...nobody('c', TRANSLATED, 'no port stands for it')] },
    {
      when: 'with a port on one host',
      change: (site) => associate(site, TRANSLATED, 'first'),
      cases: [
        ...reach('a', 'first', TRANSLATED, 'on the same host'),
        { why: 'on the same host', from: 'a', ask: 'arp', target: TRANSLATED, told: { mac: '@first' } },
        on(4, 'a', 'first', 'tcp/443', 'stopped', "the port's group", { address: TRANSLATED, ends: 'here' }),
        ...reach('narrow', 'first', TRANSLATED, "the sender's group allows the real port"),
        ...nobody('c', TRANSLATED, 'on another host'),
        ...nobody('x', TRANSLATED, 'of another tenant'),
        ...both('a', 'first', 'tcp/80', 'answered', 'by its own address'),
        on(4, 'b', 'first', 'tcp/80', 'answered', 'by its own address, from another host'),
        on(4, 'first', 'a', 'tcp/80', 'answered', 'the port itself', { seenFrom: '10.240.0.21' }),
      ],
    },
    {
      when: 'with one on another host as well',
      change: (site) => associate(site, TRANSLATED, 'second'),
      cases: [
        ...reach('b', 'second', TRANSLATED, 'the other host has one'),
        ...reach('a', 'first', TRANSLATED, 'the first host keeps its own'),
        ...nobody('c', TRANSLATED, 'the third has none'),
      ],
    },
    {
      when: 'with another one in the place of the first',
      change: async (site) => {
        await associate(site, TRANSLATED, 'next');
        await dissociate(site, TRANSLATED, 'first');
      },
      cases: [
        // It still knows the MAC of the one before.
        ...reach('a', 'next', TRANSLATED, 'the one that has taken it over'),
        on(4, 'narrow', 'next', 'udp/53', 'stopped', "the sender's group allows another one", {
          address: TRANSLATED,
          ends: 'here',
        }),
        ...reach('b', 'second', TRANSLATED, 'the other host'),
      ],
    },
    {
      when: 'with a sub-port on the third host',
      change: (site) => associate(site, TRANSLATED, 'tagged'),
      cases: [
        ...reach('c', 'tagged', TRANSLATED, 'a sub-port'),
        ...reach('beside', 'tagged', TRANSLATED, 'asked by a sub-port of the same trunk'),
        { why: 'asked by a sub-port', from: 'beside', ask: 'arp', target: TRANSLATED, told: { mac: '@tagged' } },
        ...reach('a', 'next', TRANSLATED, 'the first host'),
      ],
    },
    {
      when: 'passed through',
      change: (site) => associate(site, PASSED, 'itself'),
      cases: [
        ...reach('a', 'itself', PASSED, 'the guest has it itself'),
        { why: 'the guest has it itself', from: 'a', ask: 'arp', target: PASSED, told: { mac: '@itself' } },
        on(4, 'a', 'itself', 'tcp/443', 'stopped', "the port's group", { address: PASSED, ends: 'here' }),
        ...nobody('c', PASSED, 'on another host'),
        ...nobody('x', PASSED, 'of another tenant'),
      ],
    },
    {
      when: 'without them, by associations that go and by a port that does',
      change: async (site) => {
        await dissociate(site, PASSED, 'itself');
        await dissociate(site, TRANSLATED, 'next');
        await site.request('DELETE', `/v2.0/ports/${site.vm('second').port.id}`);
      },
      // Guests remember for a while who has answered them.
      cases: [
        { why: 'dissociated', from: 'a', ask: 'arp', target: TRANSLATED, told: null },
        { why: 'removed', from: 'b', ask: 'arp', target: TRANSLATED, told: null },
        ...both('a', 'next', 'tcp/80', 'answered', 'by its own address'),
      ],
    },
  ],
};
