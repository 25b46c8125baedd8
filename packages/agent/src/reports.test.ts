import { type Goal, OperationStatus, ResourceType } from '@alcor/contract';
import { createSchedule } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { HeldState } from './held-state.ts';
import { Reports } from './reports.ts';
import { port, says, Switch, vpc, vpcId } from './testing/small-vpc.ts';

it('says nothing good of a goal that came too late, but how the port stands by the newer one', () => {
  const held = new HeldState({ sink: new Switch(), clock: createSchedule().clock });
  const stream = held.openStream();
  held.begin(stream, [vpcId]);
  const { kind, state } = port('here', 2);
  held.apply(stream, [says(vpc()), says({ kind, state: { ...state, adminStateUp: false } } as Goal)]);
  const told: unknown[] = [];
  const reports = new Reports(held, ({ resourceType, resourceId, revisionNumber, operationStatus, reason }) => {
    expect([resourceType, resourceId]).toEqual([ResourceType.PORT, 'here']);
    told.push([revisionNumber, operationStatus, reason]);
  });
  const late = [says(port('here', 1))];
  const verdicts = held.apply(stream, late);
  reports.answer(late, [{ resourceId: 'here', status: 'ok', reason: '' }], verdicts);
  expect(told).toEqual([
    [1, OperationStatus.OUT_OF_ORDER, 'revision 2 is held'],
    [2, OperationStatus.PENDING, 'administratively down'],
  ]);
});
