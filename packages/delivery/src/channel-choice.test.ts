import { channelNames } from '@alcor/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseChannel, type VpcFacts } from './channel-choice.ts';

const thresholds = { mq: { ports: 100, largestGroup: 50 }, onDemand: { ports: 150, largestGroup: 80 } };
const plain: VpcFacts = { vpcId: 'v', channel: 'grpc', override: null, ports: 0, largestGroup: 0 };
const sizes = fc.array(fc.record({ ports: fc.nat(200), largestGroup: fc.nat(100) }), { maxLength: 100, size: 'max' });

/** The channels that a VPC has as it grows and shrinks. */
function history(steps: readonly Pick<VpcFacts, 'ports' | 'largestGroup'>[]): VpcFacts[] {
  let { channel } = plain;
  return steps.map((size) => {
    const facts = { ...plain, ...size, channel };
    channel = chooseChannel(facts, thresholds);
    return { ...facts, channel };
  });
}

describe('the choice of a channel', () => {
  it('is a larger one from either of its thresholds on, and a smaller one below 0.8 of both, whatever came before', () => {
    fc.assert(
      fc.property(sizes, (steps) => {
        for (const { ports, largestGroup, channel } of history(steps)) {
          if (ports >= 150 || largestGroup >= 80) expect(channel).toBe('on-demand');
          else if (ports >= 100 || largestGroup >= 50) expect(channel).not.toBe('grpc');
          if (ports < 120 && largestGroup < 64) expect(channel).not.toBe('on-demand');
          if (ports < 80 && largestGroup < 40) expect(channel).toBe('grpc');
        }
      }),
    );
  });

  it('changes only by a step out of the band between, so that no VPC goes to and fro at a threshold', () => {
    fc.assert(
      fc.property(sizes, (steps) => {
        const facts = history(steps);
        for (const [index, { channel, ports, largestGroup }] of facts.entries()) {
          const before = facts[index - 1]?.channel ?? 'grpc';
          const isBetween = (low: number, high: number, lowGroup: number, highGroup: number): boolean =>
            ports < high && largestGroup < highGroup && (ports >= low || largestGroup >= lowGroup);
          if (isBetween(80, 100, 40, 50)) expect(channel).toBe(before === 'grpc' ? 'grpc' : 'mq');
          if (isBetween(120, 150, 64, 80)) expect(channel).toBe(before === 'on-demand' ? 'on-demand' : 'mq');
        }
      }),
    );
  });

  it("is an administrator's where there is one", () => {
    const any = fc.record({
      channel: fc.constantFrom(...channelNames),
      override: fc.constantFrom(...channelNames),
      ports: fc.nat(),
      largestGroup: fc.nat(),
    });
    fc.assert(fc.property(any, (facts) => chooseChannel({ vpcId: 'v', ...facts }, thresholds) === facts.override));
  });
});
