import { describe, expect, it } from 'vitest';
import {
  AddressGroupConfiguration,
  addGoal,
  emptyGoalState,
  GoalStateV2,
  goalsOf,
  QosPolicyConfiguration,
  RouterConfiguration,
  SecurityGroupConfiguration,
  type StatedGoal,
} from './index.ts';

const group = (vpcId: string, removed: boolean): StatedGoal => ({
  goal: { kind: 'security-group', state: SecurityGroupConfiguration.fromPartial({ id: 'g', vpcId }) },
  removed,
});

describe('goals in messages', () => {
  it('speaks of a group in several VPCs in one message', () => {
    const stated: StatedGoal[] = [
      group('vpc1', false),
      group('vpc2', true),
      {
        goal: { kind: 'address-group', state: AddressGroupConfiguration.fromPartial({ id: 'a', vpcId: 'vpc1' }) },
        removed: false,
      },
      {
        goal: {
          kind: 'qos-policy',
          state: QosPolicyConfiguration.fromPartial({ id: 'q', vpcId: 'vpc1', dscpMark: 0 }),
        },
        removed: false,
      },
      {
        goal: { kind: 'router', state: RouterConfiguration.fromPartial({ id: 'r', vpcId: 'vpc1' }) },
        removed: false,
      },
    ];
    const message = emptyGoalState();
    for (const each of stated) addGoal(message, each);
    expect(goalsOf(GoalStateV2.decode(GoalStateV2.encode(message).finish()))).toEqual(stated);
  });

  it('tells a rule of any protocol from one of protocol 0', () => {
    const state = SecurityGroupConfiguration.fromPartial({
      id: 'g',
      securityGroupRules: [{ id: 'any' }, { id: 'hopopt', ipProtocol: 0 }],
    });
    const { securityGroupRules } = SecurityGroupConfiguration.decode(SecurityGroupConfiguration.encode(state).finish());
    expect(securityGroupRules.map(({ ipProtocol }) => ipProtocol)).toEqual([undefined, 0]);
  });
});
