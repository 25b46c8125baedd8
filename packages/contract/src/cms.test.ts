import { expect, it } from 'vitest';
import { cloudMessaging, GoalStateV2, NeighborConfiguration, NodeSettings } from './index.ts';
import { addGoal, emptyGoalState } from './messages.ts';

it('the methods have the names that clients in other languages call', () => {
  expect(cloudMessaging.watchGoalStates.path).toBe('/alcor.cms.CloudMessagingService/WatchGoalStates');
  expect(Object.values(cloudMessaging).map(({ path }) => path.split('/')[2])).toEqual([
    'GetGoalStates',
    'WatchGoalStates',
    'GetHostProgress',
    'RePush',
    'RegisterNode',
    'SetNode',
    'Heartbeat',
    'WatchNodes',
  ]);
});

it('settings that are left out are told from those that are empty', () => {
  const settings = NodeSettings.fromPartial({ id: 'h', name: '', draining: false });
  const again = NodeSettings.decode(NodeSettings.encode(settings).finish());
  expect(again).toMatchObject({ id: 'h', name: '', draining: false });
  expect(again.ip).toBeUndefined();
  expect(again.maxPorts).toBeUndefined();
});

it('goal states have the JSON form of protocol buffers', () => {
  const message = emptyGoalState();
  const state = NeighborConfiguration.fromPartial({ id: 'n', vpcId: 'v', macAddress: 'fa:16:3e:00:00:01' });
  addGoal(message, { goal: { kind: 'neighbor', state }, removed: false });
  expect(GoalStateV2.toJSON(message)).toEqual({
    formatVersion: 2,
    neighborStates: {
      n: {
        operationType: 'UPDATE',
        configuration: { id: 'n', vpcId: 'v', macAddress: 'fa:16:3e:00:00:01' },
      },
    },
  });
});
