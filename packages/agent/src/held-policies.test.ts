import { PortConfiguration, QosPolicyConfiguration, VpcConfiguration } from '@alcor/contract';
import { createSchedule } from '@alcor/runtime';
import { beforeEach, expect, it } from 'vitest';
import { HeldState } from './held-state.ts';
import type { StreamSource } from './sources.ts';
import { says, Switch, takesBack, vpcId } from './testing/small-vpc.ts';

let sink: Switch;
let held: HeldState;
let stream: StreamSource;

const vpc = (revisionNumber: number, qosPolicyId: string) =>
  says({ kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber, tunnelId: 7, qosPolicyId }) });

const port = (id: string, more: { qosPolicyId?: string; deviceOwner?: string }) =>
  says({ kind: 'port', state: PortConfiguration.fromPartial({ id, vpcId, revisionNumber: 1, ...more }) });

const policy = (of: string, revisionNumber: number, dscpMark: number) => ({
  kind: 'qos-policy' as const,
  state: QosPolicyConfiguration.fromPartial({
    id: 'q',
    vpcId: of,
    revisionNumber,
    dscpMark,
    limits: [{ rate: 5 }, { direction: 1, unit: 1, rate: 6, burst: 7 }],
  }),
});

beforeEach(() => {
  sink = new Switch();
  held = new HeldState({ sink, clock: createSchedule().clock });
  stream = held.openStream();
  held.begin(stream, [vpcId]);
});

it('gives a port its own policy, else that of its network, and nothing to what the network itself needs', () => {
  held.apply(stream, [
    vpc(1, 'of network'),
    port('own', { qosPolicyId: 'own' }),
    port('guest', { deviceOwner: 'compute:nova' }),
    port('dhcp', { deviceOwner: 'network:dhcp' }),
  ]);
  expect(Object.fromEntries(sink.policyOf)).toEqual({ own: 'own', guest: 'of network', dhcp: undefined });
  held.apply(stream, [vpc(2, 'another')]);
  expect(Object.fromEntries(sink.policyOf)).toEqual({ own: 'own', guest: 'another', dhcp: undefined });
  held.apply(stream, [vpc(3, '')]);
  expect(Object.fromEntries(sink.policyOf)).toEqual({ own: 'own', guest: undefined, dhcp: undefined });
});

it('keeps a policy that several VPCs use until the last has let go of it, as its newest revision says', () => {
  held.begin(stream, ['other']);
  held.apply(stream, [says(policy(vpcId, 2, 46)), says(policy('other', 1, 8))]);
  const limits = [
    { direction: 'egress', unit: 'kilobits', rate: 5, burst: 0 },
    { direction: 'ingress', unit: 'kilopackets', rate: 6, burst: 7 },
  ];
  expect(sink.policies.get('q')).toEqual({ id: 'q', revision: 2, dscpMark: 46, limits });
  held.apply(stream, [takesBack(policy(vpcId, 3, 46))]);
  expect(sink.policies.get('q')).toMatchObject({ dscpMark: 8 });
  held.leave(stream, ['other']);
  expect(sink.policies.size).toBe(0);
});
