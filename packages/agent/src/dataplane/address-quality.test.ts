import { expect, test } from 'vitest';
import { AddressQualities } from './address-quality.ts';
import { MeterTracker } from './meter-tracker.ts';
import type { QualityRules } from './resources.ts';

const rules: QualityRules = {
  limits: [{ direction: 'egress', unit: 'kilobits', rate: 1_000, burst: 0 }],
  dscpMark: null,
};
const many = Array.from({ length: 40_000 }, (_, n) => `floating ${n}`);

test('no two addresses of a host share a meter, however many there are', () => {
  const meters = new MeterTracker();
  const qualities = new AddressQualities(meters);
  for (const owner of many) qualities.set(owner, rules);
  // Of so many numbers of 28 bits a few fall together.
  expect(meters.writes()).toHaveLength(many.length);
  for (const owner of many) qualities.remove(owner);
  expect(meters.writes()).toHaveLength(0);
});

test('an address keeps its meters while it is there, and a new process finds them', () => {
  const [one, other] = [new AddressQualities(new MeterTracker()), new AddressQualities(new MeterTracker())];
  const first = one.set('floating f', rules);
  expect(one.set('floating f', { ...rules, limits: [{ ...rules.limits[0]!, rate: 5 }] })).toEqual(first);
  other.set('floating g', rules);
  expect(other.set('floating f', rules)).toEqual(first);
  expect(one.set('floating f', { limits: [], dscpMark: null })).toEqual({ outward: [], inward: [] });
});
