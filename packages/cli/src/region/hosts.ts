/** What a region's host is to people and tools; nulls where it is emulated in memory. */
export interface HostInfo {
  readonly id: string;
  readonly name: string;
  /** Underlay address. */
  readonly ip: string;
  readonly netns: string | null;
  readonly ovsdb: string | null;
  readonly bridge: string | null;
}

/** A port that a VM can be made for. */
export interface PlugRequest {
  readonly portId: string;
  readonly mac: string;
  readonly ip: string;
  readonly prefixLength: number;
  readonly mtu: number;
}

export interface PingResult {
  readonly ok: boolean;
  readonly rttMs: number | null;
}

export interface Guest {
  ping(ip: string): Promise<PingResult>;
}

/** A host together with the address of its agent. */
export interface ManagedHost extends HostInfo {
  readonly agentAddress: string;
  /** Its bridges to physical networks, by the networks' names. */
  readonly bridgeMappings: Readonly<Record<string, string>>;
}

/** The emulated hosts of a region, with an agent each. */
export interface HostSet {
  readonly dataplane: 'ovs' | 'memory';
  readonly hosts: readonly ManagedHost[];
  /** Boots a VM behind a port on a host. */
  plug(hostId: string, request: PlugRequest): Promise<Guest>;
  /** Removes everything that was made for the hosts. */
  close(): Promise<void>;
}
