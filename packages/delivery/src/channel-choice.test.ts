import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseChannel, type VpcFacts } from './channel-choice.ts';

const thresholds = { ports: 100, largestGroup: 50 };
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
  it('is the message queue from either threshold on, and gRPC below 0.8 of both, whatever came before', () => {
    fc.assert(
      fc.property(sizes, (steps) => {
        for (const { ports, largestGroup, channel } of history(steps)) {
          if (ports >= 100 || largestGroup >= 50) expect(channel).toBe('mq');
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
          const inBand = ports < 100 && largestGroup < 50 && (ports >= 80 || largestGroup >= 40);
          if (inBand) expect(channel).toBe(before);
        }
      }),
    );
  });

  it("is an administrator's where there is one", () => {
    const any = fc.record({
      channel: fc.constantFrom('grpc' as const, 'mq' as const),
      override: fc.constantFrom('grpc' as const, 'mq' as const),
      ports: fc.nat(),
      largestGroup: fc.nat(),
    });
    fc.assert(fc.property(any, (facts) => chooseChannel({ vpcId: 'v', ...facts }, thresholds) === facts.override));
  });
});
