/** What a port may send from, and what becomes of it when that changes. */
import { all, both, on } from '../case.ts';
import type { Theme } from '../run.ts';
import { everything } from '../rules.ts';

const open = { groups: ['open'] };
const here = { ends: 'here' } as const;

export const addresses: Theme = {
  name: 'addresses: spoofing, allowed pairs, port security, administrative state, changes',
  short: 'ad',
  async build(site) {
    await site.network('green', 3);
    await site.group('open', everything);
    const pairs = ['10.3.0.200', 'fd00:3::200', '10.33.0.0/16', 'fd33::/64'].map((ip_address) => ({ ip_address }));
    const otherMac = [{ ip_address: '10.3.0.210', mac_address: 'fa:16:3e:aa:aa:aa' }];
    await site.plug({
      a: { host: 1, network: 'green', number: 11, ...open },
      near: { host: 1, network: 'green', number: 12, ...open },
      peer: { host: 2, network: 'green', number: 13, ...open },
      free: { host: 1, network: 'green', number: 14, port: { port_security_enabled: false } },
      free2: { host: 2, network: 'green', number: 15, port: { port_security_enabled: false } },
      pair: {
        host: 2,
        network: 'green',
        number: 16,
        ...open,
        port: { allowed_address_pairs: pairs },
        also: ['10.3.0.200/32', 'fd00:3::200/128', '10.33.5.5/32', 'fd33::5/128', '10.34.0.1/32', 'fd34::1/128'],
      },
      twin: {
        host: 1,
        network: 'green',
        number: 17,
        ...open,
        port: { allowed_address_pairs: otherMac },
        mac: 'fa:16:3e:aa:aa:aa',
      },
      liar: { host: 1, network: 'green', number: 18, ...open, mac: 'fa:16:3e:bb:bb:bb' },
      down: { host: 2, network: 'green', number: 19, ...open, port: { admin_state_up: false } },
      moves: { host: 3, network: 'green', number: 20, ...open },
    });
    for (const each of ['a', 'free', 'twin', 'liar', 'pair', 'down', 'peer', 'moves']) {
      site.teach(each, ...['a', 'peer', 'near', 'down', 'moves'].filter((other) => other !== each));
    }
    for (const each of ['a', 'peer']) {
      const its = ['10.3.0.200', 'fd00:3::200', '10.33.5.5', 'fd33::5', '10.34.0.1', 'fd34::1'];
      site.teachAddresses(each, 'pair', ...its);
    }
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('a', 'peer', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'its own address'),
        ...(['icmp', 'tcp/80', 'udp/53'] as const).flatMap((traffic) => [
          on(4, 'a', 'peer', traffic, 'stopped', "nobody's address", { source: '10.3.0.77', ...here }),
          on(6, 'a', 'peer', traffic, 'stopped', "nobody's address", { source: 'fd00:3::77', ...here }),
          on(4, 'a', 'near', traffic, 'stopped', "another VM's address, same host", { source: '10.3.0.13', ...here }),
          on(6, 'a', 'near', traffic, 'stopped', "another VM's address, same host", { source: 'fd00:3::13', ...here }),
        ]),
        on(4, 'a', 'peer', 'udp/53', 'stopped', 'an address of elsewhere', { source: '192.0.2.1', ...here }),
        on(6, 'a', 'peer', 'udp/53', 'stopped', 'an address of elsewhere', { source: '2001:db8::1', ...here }),
        ...all('liar', 'peer', ['icmp', 'udp/53'], 'stopped', 'a MAC that is not its own', here),
        on(4, 'free', 'peer', 'udp/53', 'received', 'no port security: any address', { source: '10.3.0.77' }),
        on(6, 'free', 'peer', 'udp/53', 'received', 'no port security: any address', { source: 'fd00:3::77' }),
        on(4, 'free', 'near', 'icmp', 'received', 'no port security, same host', { source: '192.0.2.1' }),
        ...both('free', 'free2', 'tcp/80', 'answered', 'no port security at either end'),
        ...both('a', 'free2', 'udp/77', 'answered', 'no port security: all may come in'),
        on(4, 'pair', 'peer', 'udp/53', 'answered', 'an allowed address', { source: '10.3.0.200' }),
        on(6, 'pair', 'peer', 'udp/53', 'answered', 'an allowed address', { source: 'fd00:3::200' }),
        on(4, 'pair', 'a', 'tcp/80', 'answered', 'an allowed address, to another host', { source: '10.3.0.200' }),
        on(6, 'pair', 'a', 'tcp/80', 'answered', 'an allowed address, to another host', { source: 'fd00:3::200' }),
        on(4, 'a', 'pair', 'icmp', 'answered', 'to an allowed address', { address: '10.3.0.200' }),
        on(6, 'a', 'pair', 'icmp', 'answered', 'to an allowed address', { address: 'fd00:3::200' }),
        on(4, 'pair', 'a', 'icmp', 'answered', 'an address of an allowed block', { source: '10.33.5.5' }),
        on(6, 'pair', 'a', 'icmp', 'answered', 'an address of an allowed block', { source: 'fd33::5' }),
        on(4, 'pair', 'a', 'icmp', 'stopped', 'an address beside the allowed block', { source: '10.34.0.1', ...here }),
        on(6, 'pair', 'a', 'icmp', 'stopped', 'an address beside the allowed block', { source: 'fd34::1', ...here }),
        on(4, 'twin', 'peer', 'udp/53', 'received', 'an allowed pair with a MAC of its own', { source: '10.3.0.210' }),
        ...both('twin', 'peer', 'udp/53', 'stopped', "the pair's MAC with the port's address", here),
        ...all('a', 'down', ['icmp', 'tcp/80'], 'stopped', 'to a port that is administratively down'),
        ...all('down', 'a', ['icmp', 'udp/53'], 'stopped', 'from a port that is administratively down', here),
      ],
    },
    {
      when: 'states are turned round',
      change: async (site) => {
        await site.updatePort('down', { admin_state_up: true });
        await site.updatePort('peer', { admin_state_up: false });
        await site.updatePort('free', { port_security_enabled: true, security_groups: [site.groupId('open')] });
        await site.updatePort('pair', { allowed_address_pairs: [] });
        await site.updatePort('near', { security_groups: [], port_security_enabled: false });
      },
      cases: [
        ...all('a', 'down', ['icmp', 'tcp/80'], 'answered', 'up again'),
        ...both('down', 'a', 'udp/53', 'answered', 'up again'),
        ...all('a', 'peer', ['icmp', 'tcp/80'], 'stopped', 'down now'),
        ...both('peer', 'a', 'icmp', 'stopped', 'down now', here),
        on(4, 'free', 'down', 'udp/53', 'lost', 'port security again: not any address', { source: '10.3.0.77' }),
        on(6, 'free', 'down', 'udp/53', 'lost', 'port security again: not any address', { source: 'fd00:3::77' }),
        ...both('free', 'a', 'udp/53', 'answered', 'port security again: its own'),
        on(4, 'pair', 'a', 'icmp', 'stopped', 'no pair any more', { source: '10.3.0.200', ...here }),
        on(6, 'pair', 'a', 'icmp', 'stopped', 'no pair any more', { source: 'fd00:3::200', ...here }),
        ...both('pair', 'a', 'icmp', 'answered', 'no pair any more, but its own'),
        on(4, 'near', 'a', 'udp/53', 'received', 'no port security any more', { source: '10.3.0.99' }),
      ],
    },
    {
      when: 'a port gets other addresses',
      change: async (site) => {
        const [v4, v6] = site.networks.get('green')!.subnets;
        const fixed_ips = [
          { subnet_id: v4!.id, ip_address: '10.3.0.120' },
          { subnet_id: v6!.id, ip_address: 'fd00:3::120' },
        ];
        await site.updatePort('moves', { fixed_ips });
        site.inVm('moves', 'addr add 10.3.0.120/24 dev eth0', '-6 addr add fd00:3::120/64 dev eth0 nodad');
      },
      cases: [
        on(4, 'moves', 'a', 'icmp', 'answered', 'the new address', { source: '10.3.0.120' }),
        on(6, 'moves', 'a', 'icmp', 'answered', 'the new address', { source: 'fd00:3::120' }),
        on(4, 'a', 'moves', 'tcp/80', 'answered', 'to the new address', { address: '10.3.0.120' }),
        on(6, 'a', 'moves', 'tcp/80', 'answered', 'to the new address', { address: 'fd00:3::120' }),
        ...both('moves', 'a', 'icmp', 'stopped', 'the old address', here),
        { why: 'the new address', from: 'a', ask: 'arp', target: '10.3.0.120', told: { mac: '@moves' } },
        { why: 'the old address', from: 'a', ask: 'arp', target: '10.3.0.20', told: null },
        { why: 'the new address', from: 'a', ask: 'neighbour', target: 'fd00:3::120', told: { mac: '@moves' } },
        { why: 'the old address', from: 'a', ask: 'neighbour', target: 'fd00:3::20', told: null },
      ],
    },
    {
      when: 'a port gets another MAC',
      change: (site) => site.updatePort('free', { mac_address: 'fa:16:3e:cc:cc:cc' }),
      cases: [
        { why: 'the new MAC', from: 'a', ask: 'arp', target: '10.3.0.14', told: { mac: 'fa:16:3e:cc:cc:cc' } },
        { why: 'the new MAC', from: 'a', ask: 'neighbour', target: 'fd00:3::14', told: { mac: 'fa:16:3e:cc:cc:cc' } },
        ...both('free', 'a', 'icmp', 'stopped', 'with the old MAC', here),
      ],
    },
    {
      when: 'the VM takes it',
      change: async (site) => site.inVm('free', 'link set eth0 address fa:16:3e:cc:cc:cc'),
      cases: [
        on(4, 'free', 'a', 'icmp', 'answered', 'with the new MAC'),
        on(4, 'a', 'free', 'tcp/80', 'answered', 'to the new MAC'),
      ],
    },
  ],
};
