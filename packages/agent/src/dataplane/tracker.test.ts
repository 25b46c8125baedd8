import { describe, expect, it } from 'vitest';
import type { Flow, FlowIdentity } from './flow.ts';
import { hostFlows } from './program.ts';
import { Tracker } from './tracker.ts';

/** A switch that does as it is told. */
class Obedient {
  readonly flows = new Map<string, FlowIdentity>();

  drain(tracker: Tracker): void {
    for (let turn = 0; turn < 10; turn++) {
      const planned = tracker.pending();
      if (planned.length === 0) return;
      for (const { place, change } of planned) {
        if (change.type === 'write') this.flows.set(place.key, change.flow);
        else this.flows.delete(place.key);
      }
      tracker.settle(planned, []);
    }
    throw new Error('there is no end to what is pending');
  }
}

describe('wanted against present', () => {
  const flows: readonly Flow[] = hostFlows(1);

  it('writes again what an owner left, the switch lost and the owner wants once more', () => {
    const tracker = new Tracker();
    const obedient = new Obedient();
    tracker.set('owner', 1, flows);
    obedient.drain(tracker);
    expect(obedient.flows.size).toBe(flows.length);
    tracker.remove('owner');
    obedient.flows.clear();
    tracker.replacePresent([]);
    tracker.set('owner', 1, flows);
    obedient.drain(tracker);
    expect(obedient.flows.size).toBe(flows.length);
    tracker.replacePresent(obedient.flows.values());
    expect(tracker.pending()).toEqual([]);
  });
});
