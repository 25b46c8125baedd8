/** What the switch has counted for a port, to whoever asks the agent. */
import { getPortCounters, PortCountersReply, type PacketCount, type PortCountersRequest } from '@alcor/contract';
import { answering, CallRefused, type Handler } from '@alcor/runtime';
import { type Count, type Dataplane, type PortCounters, type RuleCounter, SwitchLost } from './dataplane/index.ts';

/** Questions that wait; each costs the switch an answer for every flow of its port and rules, so they are answered one after the other. */
const WAITING_AT_MOST = 32;
/** Largest whole number that every language has: 53 bits. */
const BITS = 53;

export function answersPortCounters(dataplane: Pick<Dataplane, 'counters'>): Handler {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return answering(getPortCounters, async (request, signal) => {
    if (waiting >= WAITING_AT_MOST) throw new CallRefused('RESOURCE_EXHAUSTED', 'too many ask for counters');
    waiting++;
    const mine = last.then(async () => (signal.aborted ? replyOf('') : answer(dataplane, request, signal)));
    last = mine.catch(() => undefined);
    return mine.finally(() => waiting--);
  });
}

async function answer(
  dataplane: Pick<Dataplane, 'counters'>,
  { portId }: PortCountersRequest,
  signal: AbortSignal,
): Promise<PortCountersReply> {
  try {
    return replyOf(await dataplane.counters(portId, signal));
  } catch (error) {
    if (error instanceof SwitchLost) return replyOf(error.message);
    throw error;
  }
}

function replyOf(counters: PortCounters | string): PortCountersReply {
  if (typeof counters === 'string') return PortCountersReply.fromPartial({ reason: counters });
  const { sent, received, dropped, rules, rulesLeftOut } = counters;
  return PortCountersReply.fromPartial({
    sent: countOf(sent),
    received: countOf(received),
    spoofed: countOf(dropped.spoofed),
    sentNotAllowed: countOf(dropped.sentNotAllowed),
    receivedNotAllowed: countOf(dropped.receivedNotAllowed),
    sentOverLimit: countOf(dropped.sentOverLimit),
    receivedOverLimit: countOf(dropped.receivedOverLimit),
    rules: rules.map(ruleOf),
    rulesLeftOut,
  });
}

function ruleOf({ policy, policyId, ruleId, direction, text, ...count }: RuleCounter): PortCountersReply['rules'][0] {
  return {
    securityGroupId: policy === 'security-group' ? policyId : '',
    networkAclId: policy === 'network-acl' ? policyId : '',
    ruleId,
    ingress: direction === 'ingress',
    text,
    matched: countOf(count),
  };
}

function countOf({ packets, bytes }: Count): PacketCount {
  return { packets: Number(BigInt.asUintN(BITS, packets)), bytes: Number(BigInt.asUintN(BITS, bytes)) };
}
