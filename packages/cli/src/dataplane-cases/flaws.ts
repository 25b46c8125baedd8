/** Flows that make a data plane wrong, and the cases that have to notice: so that it is known that a case can fail. */
import { sh } from '../region/testing/region-process.ts';
import { all, both, on } from './case.ts';
import type { Theme } from './run.ts';
import { externalVlan, gatewaysOn } from './provider.ts';
import { bandwidth, everything, mark } from './rules.ts';
import type { Site } from './site.ts';

interface Flaw {
  readonly why: string;
  /** On the first host's switch: a match with its table, and what is done instead. */
  readonly match: string;
  readonly actions: string;
  /** What is said of one of the cases at least. */
  readonly noticed: RegExp;
}

export const flaws: readonly Flaw[] = [
  { why: 'nothing goes into a tunnel', match: 'table=75', actions: 'drop', noticed: /did not cross to/ },
  { why: 'a VM may send from any address', match: 'table=10,ip', actions: 'resubmit(,20)', noticed: /far saw it/ },
  { why: 'groups let everything in', match: 'table=81', actions: 'resubmit(,90)', noticed: /closed saw it/ },
  { why: 'network ACLs let everything in', match: 'table=78', actions: 'resubmit(,81)', noticed: /walled saw it/ },
  {
    why: 'nothing is translated',
    match: 'table=64,ip',
    actions: 'resubmit(,66)',
    noticed: /out saw it come from 10\.20\./,
  },
  { why: 'nothing is marked', match: 'table=5,ip', actions: 'resubmit(,10)', noticed: /with the mark 0, not 46/ },
  {
    why: 'a gateway does not mark',
    match: 'table=65,ip',
    actions: 'resubmit(,66)',
    noticed: /with the mark 0, not 10/,
  },
  { why: 'nothing is limited', match: 'table=5,udp', actions: 'resubmit(,10)', noticed: /of 300 came, not/ },
  {
    why: 'VLAN tags are taken off unread',
    match: 'table=0,dl_vlan=7',
    actions: 'pop_vlan,resubmit(,0)',
    noticed: /far did not see it/,
  },
  { why: 'packets are flooded', match: 'table=60,ip', actions: 'ALL', noticed: /stranger saw it/ },
];

const GATEWAY = '10.23.0.50';

export const small: Theme = {
  name: 'flaws',
  short: 'fl',
  async build(site) {
    await site.network('small', 20);
    await site.network('strange', 21);
    await site.network('walled', 22);
    const external = await site.network('external', 23, { v4: { enable_dhcp: false }, segment: externalVlan(123) });
    await gatewaysOn(site, [1]);
    const external_fixed_ips = [{ subnet_id: external.subnets[0]!.id, ip_address: GATEWAY }];
    await site.policy('gate', [mark(10)]);
    const qos_policy_id = site.policyId('gate');
    const external_gateway_info = { network_id: external.id, external_fixed_ips, qos_policy_id };
    await site.router('between', ['small', 'walled'], { external_gateway_info });
    await site.outside('out', 'external', { vlan: 123, number: 99 });
    await site.group('open', everything);
    await site.group('closed', []);
    await site.policy('slow', [bandwidth('egress', 1_000), mark(46)]);
    await site.plug({
      a: { host: 1, network: 'small', number: 11, groups: ['open'], trunk: 'parent' },
      near: { host: 1, network: 'small', number: 12, groups: ['open'] },
      far: { host: 2, network: 'small', number: 13, groups: ['open'] },
      closed: { host: 1, network: 'small', number: 14, groups: ['closed'] },
      walled: { host: 1, network: 'walled', groups: ['open'] },
      slow: { host: 1, network: 'small', groups: ['open'], port: { qos_policy_id: site.policyId('slow') } },
      stranger: { host: 1, network: 'strange' },
    });
    await site.plug({
      tagged: { host: 1, network: 'small', number: 15, groups: ['open'], trunk: { parent: 'a', vlan: 7 } },
    });
    await site.networkAcl('wall', ['walled'], []);
    site.teach('a', 'far');
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('a', 'near', ['icmp', 'tcp/80'], 'answered', 'the same host'),
        ...all('a', 'far', ['icmp', 'tcp/80'], 'answered', 'another host'),
        on(4, 'a', 'out', 'udp/53', 'answered', 'out of the region', {
          hops: 1,
          seenFrom: GATEWAY,
          crosses: [],
          dscp: 10,
        }),
        on(4, 'slow', 'far', 'icmp', 'answered', 'a mark', { dscp: 46 }),
        {
          why: 'a limit',
          from: 'slow',
          to: 'near',
          family: 4,
          times: 300,
          bytes: 1_000,
          gap: 1,
          arrive: [40, 240],
          perSecond: 120,
        },
        ...both('tagged', 'far', 'udp/53', 'answered', 'a sub-port'),
        ...both('a', 'closed', 'udp/53', 'stopped', 'a group without rules'),
        ...both('a', 'walled', 'udp/53', 'stopped', 'an ACL without rules', { hops: 1 }),
        on(4, 'a', 'far', 'udp/53', 'stopped', "nobody's address", { source: '10.20.0.99' }),
      ],
    },
  ],
};

/** Makes the first host's switch wrong while `action` runs. */
export async function withFlaw<T>(site: Site, { match, actions }: Flaw, action: () => Promise<T>): Promise<T> {
  const { ovsdb, bridge } = site.hosts[0]!;
  const ofctl = (...args: string[]): string =>
    sh(`ovs-ofctl -O OpenFlow15 ${args.join(' ')}`, { SOCKET: ovsdb.replace('db.sock', `${bridge}.mgmt`) });
  ofctl('add-flow', '$SOCKET', `'${match},priority=65000,actions=${actions}'`);
  try {
    return await action();
  } finally {
    ofctl('--strict', 'del-flows', '$SOCKET', `'${match},priority=65000'`);
  }
}
