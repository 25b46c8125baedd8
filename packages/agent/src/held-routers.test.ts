import { RouterConfiguration, SubnetConfiguration } from '@alcor/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Router } from './dataplane/index.ts';
import { HeldRouters } from './held-routers.ts';

function router(vpcId: string, revisionNumber: number, networks: readonly string[]): RouterConfiguration {
  const routingRules = [{ destination: '10.9.0.0/16', nextHopIp: '10.0.0.9' }];
  return RouterConfiguration.fromPartial({
    id: 'r',
    vpcId,
    revisionNumber,
    interfaces: networks.map((of) => ({
      vpcId: of,
      macAddress: `mac of ${of}`,
      fixedIps: [{ subnetId: `subnet of ${of}`, ipAddress: `ip of ${of}` }],
    })),
    subnetRoutingTables: networks.map((of) => ({ subnetId: `subnet of ${of}`, routingRules })),
  });
}

const subnet = (vpcId: string): SubnetConfiguration =>
  SubnetConfiguration.fromPartial({ id: `subnet of ${vpcId}`, vpcId, cidr: `cidr of ${vpcId}` });

const on = (of: string, vni: number) => ({
  vni,
  mtu: 1450,
  mac: `mac of ${of}`,
  addresses: [{ ip: `ip of ${of}`, subnetId: `subnet of ${of}`, cidr: `cidr of ${of}` }],
});

describe('a router that several VPCs tell of', () => {
  let said: (Router | string)[];
  let routers: HeldRouters;
  beforeEach(() => {
    said = [];
    routers = new HeldRouters({
      setRouter: (each) => said.push(each),
      removeRouter: (id) => said.push(`${id} gone`),
    });
  });

  const whole: Router = {
    id: 'r',
    adminStateUp: true,
    interfaces: [on('blue', 1), on('green', 2)],
    routes: [{ destination: '10.9.0.0/16', nextHop: '10.0.0.9' }],
    revision: 1,
  };

  it.each([
    ['the networks first', [0, 1, 2, 3, 4]],
    ['the router first', [4, 3, 2, 1, 0]],
    ['the subnets first', [2, 4, 3, 0, 1]],
  ])('is on the networks and subnets that are known, in whichever order they come: %s', (_, order) => {
    const steps = [
      () => routers.setNetwork('blue', { vni: 1, mtu: 1450, isOnWire: false }),
      () => routers.setNetwork('green', { vni: 2, mtu: 1450, isOnWire: false }),
      () => routers.setSubnet(subnet('blue')),
      () => routers.setSubnet(subnet('green')),
      () => routers.setRouter(router('blue', 1, ['blue', 'green'])),
    ];
    for (const step of order) steps[step]!();
    expect(said.at(-1)).toEqual(whole);
    routers.removeSubnet('green', 'subnet of green');
    expect(said.at(-1)).toEqual({ ...whole, interfaces: [on('blue', 1), { ...on('green', 2), addresses: [] }] });
    routers.setNetwork('blue', { vni: 1, mtu: 1300, isOnWire: false });
    expect(said.at(-1)).toMatchObject({ interfaces: [{ mtu: 1300 }, { mtu: 1450 }] });
    routers.setNetwork('blue', { vni: 1, mtu: 1450, isOnWire: false });
    routers.setNetwork('green', undefined);
    expect(said.at(-1)).toEqual({ ...whole, interfaces: [on('blue', 1)] });
  });

  it('is what the newest word on it says, and stays until the last VPC has let go of it', () => {
    routers.setNetwork('blue', { vni: 1, mtu: 1450, isOnWire: false });
    routers.setRouter(router('green', 2, ['green']));
    routers.setRouter(router('blue', 1, ['blue', 'green']));
    expect(said).toMatchObject([{ revision: 2 }]);
    // On a network that the newest word does not name, it is not any more.
    routers.setNetwork('blue', { vni: 3, mtu: 1450, isOnWire: false });
    expect(said).toHaveLength(1);
    routers.removeRouter('green', 'r');
    expect(said.at(-1)).toMatchObject({ revision: 1, interfaces: [{ vni: 3 }] });
    routers.removeRouter('blue', 'r');
    expect(said.at(-1)).toBe('r gone');
    routers.setNetwork('blue', { vni: 4, mtu: 1450, isOnWire: false });
    expect(said.at(-1)).toBe('r gone');
  });
});
