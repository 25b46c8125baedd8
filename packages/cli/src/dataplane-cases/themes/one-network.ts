/** VMs of one network, and those that are none of its business. */
import { all, both, on } from '../case.ts';
import type { Theme } from '../run.ts';

export const oneNetwork: Theme = {
  name: 'one network, others, and two tenants with the same addresses',
  short: 'l2',
  async build(site) {
    await site.network('red', 1);
    await site.network('blue', 2);
    await site.network('other', 1, { project: 'two' });
    await site.plug({
      a: { host: 1, network: 'red', number: 11 },
      near: { host: 1, network: 'red', number: 12 },
      far: { host: 2, network: 'red', number: 13 },
      third: { host: 3, network: 'red', number: 14 },
      blue1: { host: 1, network: 'blue' },
      blue2: { host: 2, network: 'blue' },
      other1: { host: 1, network: 'other', number: 11 },
      other2: { host: 2, network: 'other', number: 13 },
      free1: { host: 1, network: 'other', number: 21, port: { port_security_enabled: false } },
    });
    site.teach('a', 'blue1', 'blue2');
    site.teach('free1', 'a', 'near', 'far', 'blue2');
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('a', 'near', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'the same host'),
        ...all('a', 'far', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'another host'),
        ...all('far', 'third', ['icmp', 'tcp/8080', 'udp/5000'], 'answered', 'two other hosts'),
        ...all('third', 'near', ['icmp', 'tcp/22', 'udp/123'], 'answered', 'the way back'),
        ...all('other1', 'other2', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'the other tenant has the same addresses'),
        ...all('blue1', 'blue2', ['icmp', 'tcp/443'], 'answered', "another network's own"),
        ...all('a', 'blue1', ['icmp', 'tcp/443', 'udp/53'], 'stopped', 'another network on the same host', {
          ends: 'here',
        }),
        ...all('a', 'blue2', ['icmp', 'tcp/443', 'udp/53'], 'stopped', 'another network on another host', {
          ends: 'here',
        }),
        ...both('free1', 'blue2', 'icmp', 'stopped', "another tenant's network, with no port security", {
          ends: 'here',
        }),
        ...both('free1', 'near', 'icmp', 'stopped', 'an address that its own network has not', { ends: 'here' }),
        on(4, 'a', [], 'icmp', 'unsent', 'an address that nobody has', { address: '10.1.0.99' }),
        on(6, 'a', [], 'icmp', 'unsent', 'an address that nobody has', { address: 'fd00:1::99' }),
      ],
    },
  ],
};
