import type { HostQuestions, PacketCount, PortCounters } from '@alcor/api';
import { getPortCounters, type PortCountersReply } from '@alcor/contract';
import type { Transport } from '@alcor/runtime';

/** How long a host may take for an answer, in ms. */
const patienceMs = 5_000;
const nothing: PacketCount = { packets: 0, bytes: 0 };

/** Asks agents over gRPC: whichever process is asked can, for it takes no right to speak for the host. */
export function hostQuestions(transport: Transport, log: (message: string, error?: unknown) => void): HostQuestions {
  return {
    portCounters: async (agentAddress, portId) => {
      try {
        const signal = AbortSignal.timeout(patienceMs);
        return countersIn(await transport.call(getPortCounters, agentAddress, { portId }, signal));
      } catch (error) {
        log(`the agent at ${agentAddress} does not say what it has counted for port ${portId}`, error);
        return 'its host does not answer';
      }
    },
  };
}

/** A text: why there is nothing. */
export function countersIn(reply: PortCountersReply): PortCounters | string {
  if (reply.reason !== '') return reply.reason;
  return {
    sent: reply.sent ?? nothing,
    received: reply.received ?? nothing,
    dropped: {
      spoofed: reply.spoofed ?? nothing,
      sentNotAllowed: reply.sentNotAllowed ?? nothing,
      receivedNotAllowed: reply.receivedNotAllowed ?? nothing,
      sentOverLimit: reply.sentOverLimit ?? nothing,
      receivedOverLimit: reply.receivedOverLimit ?? nothing,
    },
    rules: reply.rules.map(({ securityGroupId, networkAclId, ruleId, ingress, text, matched }) => ({
      policy: securityGroupId === '' ? 'network-acl' : 'security-group',
      policyId: securityGroupId || networkAclId,
      ruleId,
      direction: ingress ? 'ingress' : 'egress',
      text,
      ...(matched ?? nothing),
    })),
    rulesLeftOut: reply.rulesLeftOut,
  };
}
