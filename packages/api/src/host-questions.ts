/** What the API asks hosts when it is asked: what they have seen and the store does not know. */

/** Packets, and their bytes from the Ethernet header on. */
export interface PacketCount {
  readonly packets: number;
  readonly bytes: number;
}

export interface PortCounters {
  readonly sent: PacketCount;
  readonly received: PacketCount;
  readonly dropped: {
    readonly spoofed: PacketCount;
    readonly sentNotAllowed: PacketCount;
    readonly receivedNotAllowed: PacketCount;
    readonly sentOverLimit: PacketCount;
    readonly receivedOverLimit: PacketCount;
  };
  readonly rules: readonly RuleCounter[];
  /** Rules that there was no room for. */
  readonly rulesLeftOut: number;
}

/** Of all ports of the host that the rule judges. */
export interface RuleCounter extends PacketCount {
  readonly policy: 'security-group' | 'network-acl';
  readonly policyId: string;
  /** Empty: what no rule of the network ACL fits. */
  readonly ruleId: string;
  readonly direction: 'ingress' | 'egress';
  /** The rule for people. */
  readonly text: string;
}

export interface HostQuestions {
  /** What the host's agent at `agentAddress` has counted for a port; a text: why there is nothing. Never rejects. */
  portCounters(agentAddress: string, portId: string): Promise<PortCounters | string>;
}

/** Where there are no hosts to ask. */
export const noHosts: HostQuestions = { portCounters: async () => 'no hosts can be asked here' };
