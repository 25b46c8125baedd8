import { AddressGroupConfiguration, SecurityGroupConfiguration } from '@alcor/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { HeldGroups } from './held-groups.ts';

describe('a group that ports of several VPCs are in', () => {
  let said: string[];
  let groups: HeldGroups;
  beforeEach(() => {
    said = [];
    groups = new HeldGroups({
      setSecurityGroup: ({ id, revision }) => said.push(`${id} ${revision}`),
      removeSecurityGroup: (id) => said.push(`${id} gone`),
      setAddressGroup: ({ id, addresses }) => said.push(`${id} ${addresses.join()}`),
      removeAddressGroup: (id) => said.push(`${id} gone`),
      setNetworkAcl: ({ id, revision }) => said.push(`${id} ${revision}`),
      removeNetworkAcl: (id) => said.push(`${id} gone`),
    });
  });
  const set = (vpcId: string, revisionNumber: number): void =>
    groups.setSecurityGroup(SecurityGroupConfiguration.fromPartial({ id: 'web', vpcId, revisionNumber }));

  it('is what the newest word on it says, whichever VPC told it', () => {
    set('blue', 2);
    set('green', 1);
    set('green', 3);
    expect(said).toEqual(['web 2', 'web 3']);
  });

  it('stays until the last VPC has let go of it', () => {
    set('blue', 1);
    set('green', 2);
    groups.removeSecurityGroup('green', 'web');
    groups.removeSecurityGroup('green', 'web');
    groups.removeSecurityGroup('blue', 'web');
    expect(said).toEqual(['web 1', 'web 2', 'web 1', 'web gone']);
  });

  it('of addresses goes the same way', () => {
    const state = { id: 'offices', vpcId: 'blue', revisionNumber: 1, cidrs: ['192.0.2.0/24', '2001:db8::/64'] };
    groups.setAddressGroup(AddressGroupConfiguration.fromPartial(state));
    groups.removeAddressGroup('blue', 'offices');
    expect(said).toEqual(['offices 192.0.2.0/24,2001:db8::/64', 'offices gone']);
  });
});
