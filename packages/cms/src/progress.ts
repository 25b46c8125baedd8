/** How one host stands with one VPC. Positions are those of the VPC's topic. */
export interface VpcProgress {
  readonly vpcId: string;
  /** Who reads the topic for the host: its config manager, the host itself, or the one while the other is about to. */
  readonly channel: 'grpc' | 'subscribing' | 'mq';
  readonly wanted: number;
  readonly sent: number;
  readonly applied: number;
}

/** What a host could not do. */
export interface Failure {
  readonly kind: string;
  readonly resourceId: string;
  readonly revision: number;
  /** The switch's or the agent's own words. */
  readonly reason: string;
}

/** How far a host has come with what it is to hold. */
export interface HostProgress {
  readonly hostId: string;
  readonly state: 'connecting' | 'synchronising' | 'synchronised' | 'unreachable';
  /** Why, when unreachable. */
  readonly reason: string;
  readonly vpcs: readonly VpcProgress[];
  readonly failures: readonly Failure[];
}

/** The config manager of this controller, as the service asks it. */
export interface ProgressSource {
  /** Undefined: this controller does not drive the host. */
  host(hostId: string): HostProgress | undefined;
  /** Those hosts of this controller that are in the VPC. */
  vpc(vpcId: string): readonly { readonly hostId: string; readonly progress: VpcProgress }[];
  /** Says everything again to a host, or of a VPC to each of its hosts; gives the number of hosts. */
  pushHost(hostId: string): number;
  pushVpc(vpcId: string): number;
}
